-- How much each part uses of its price (amount × microseconds), and how much of it the project used
-- in that month by then.
CREATE OR REPLACE TEMP TABLE used AS
WITH ends AS (
    SELECT
        bill,
        month_no,
        price_no,
        part,
        is_charged,
        from_at,
        CASE WHEN is_tail THEN least(to_at, claimed_at + minimum) ELSE to_at END AS to_at,
        parts.amount
    FROM parts
    JOIN prices USING (price_no)
    ANTI JOIN unpriced USING (bill)
), usages AS (
    SELECT * EXCLUDE (amount), CAST(amount AS HUGEINT) * (to_at - from_at) AS usage
    FROM ends
    WHERE to_at > from_at
)
SELECT
    *,
    sum(usage) OVER (
        PARTITION BY bill, month_no, price_no ORDER BY part ROWS UNBOUNDED PRECEDING
    ) AS used_after
FROM usages;
