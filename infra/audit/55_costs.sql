-- Each part, cut at the tiers of its price: what it costs, exactly, as whole smallest units of money
-- and parts of one more (`rest`, of the month's common denominator).
CREATE OR REPLACE TABLE costs AS
WITH metered AS (
    SELECT
        *,
        used_after - CAST(amount AS HUGEINT) * (to_at - from_at) AS used_before
    FROM used
), cut AS (
    SELECT
        metered.* EXCLUDE (used_before, used_after),
        tier_no,
        unit_price,
        least(used_after, coalesce(below, used_after)) - greatest(used_before, above) AS usage,
        numerator,
        denominator,
        common
    FROM metered
    JOIN tiers USING (month_no, price_no)
    JOIN denominators USING (bill, month_no)
    WHERE usage > 0
)
SELECT
    * EXCLUDE (numerator, denominator, common),
    usage * numerator // denominator AS whole,
    usage * numerator % denominator * (common // denominator) AS rest
FROM cut;
