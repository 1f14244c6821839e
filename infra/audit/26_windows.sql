-- What is counted in each month: what was used before the period begins (`is_charged` false: the
-- tiers have seen it, but it is not charged here), then the month's part of the period.
CREATE OR REPLACE TEMP TABLE windows AS
WITH parts_of_months AS (
    SELECT
        month_no,
        false AS is_charged,
        from_at,
        greatest(from_at, getvariable('period_start')) AS to_at
    FROM months
    UNION ALL
    SELECT
        month_no,
        true,
        greatest(from_at, getvariable('period_start')),
        least(to_at, getvariable('period_end'))
    FROM months
)
SELECT row_number() OVER (ORDER BY from_at) AS window_no, parts_of_months.*
FROM parts_of_months
WHERE from_at < to_at;
