-- Each part, cut at the tiers of its price, and what it costs: exactly, in the month's small parts of
-- money.
CREATE OR REPLACE TEMP TABLE costs AS
SELECT
    bill,
    month_no,
    part,
    tier_no,
    price_no,
    is_charged,
    from_at,
    to_at,
    common,
    (least(used_after, coalesce(below, used_after)) - greatest(used_after - usage, above)) * rate
        AS cost
FROM used
JOIN rates USING (bill, month_no, price_no)
WHERE used_after > above AND used_after - usage < coalesce(below, used_after);
