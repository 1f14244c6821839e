-- The lines. Money is rounded in one place: the sum of all costs since the month began, half up, to
-- the smallest unit; each line's amount (`units`) is what the rounded sum grows by.
CREATE OR REPLACE TEMP TABLE lines AS
WITH summed AS (
    SELECT
        *,
        row_number() OVER line_order AS line_no,
        sum(whole) OVER line_order AS whole_after,
        sum(rest) OVER line_order AS rest_after
    FROM costs
    WINDOW line_order AS (
        PARTITION BY bill, month_no
        ORDER BY window_no, piece_from, position, is_tail, from_at, part_no, tier_no
        ROWS UNBOUNDED PRECEDING
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
    whole_after + (2 * rest_after + common) // (2 * common)
        - (whole_after - whole) - (2 * (rest_after - rest) + common) // (2 * common) AS units
FROM summed
WHERE is_charged;
