-- The lines. Money is rounded in one place: the sum of all costs since the month began, half up, to
-- the smallest unit; each line's amount (`units`) is what the rounded sum grows by.
CREATE OR REPLACE TEMP TABLE lines AS
WITH summed AS (
    SELECT *, row_number() OVER line_order AS line_no, sum(cost) OVER line_order AS cost_after
    FROM costs
    WINDOW line_order AS (
        PARTITION BY bill, month_no ORDER BY part, tier_no ROWS UNBOUNDED PRECEDING
    )
)
SELECT
    bill,
    month_no,
    line_no,
    part,
    price_no,
    tier_no,
    from_at,
    to_at,
    (2 * cost_after + common) // (2 * common) - (2 * (cost_after - cost) + common) // (2 * common)
        AS units
FROM summed
WHERE is_charged;
