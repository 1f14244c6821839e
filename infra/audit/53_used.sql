-- How much each part uses of its price (amount × microseconds), and how much of it the project used
-- in that month by then, in the order of the lines.
CREATE OR REPLACE TEMP TABLE used AS
WITH ends AS (
    SELECT
        parts.* EXCLUDE (
            to_at, claimed_at, ended, stretch, status, provider, class, unit, flavor, amount
        ),
        parts.amount,
        CASE WHEN is_tail THEN least(to_at, claimed_at + minimum) ELSE to_at END AS to_at
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
        PARTITION BY bill, month_no, price_no
        ORDER BY window_no, piece_from, position, is_tail, from_at, part_no
        ROWS UNBOUNDED PRECEDING
    ) AS used_after
FROM usages;
