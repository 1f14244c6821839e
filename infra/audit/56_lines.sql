-- The lines. Money is rounded in one place: the sum of all costs since the month began, half up, to
-- the smallest unit; each line's amount (`units`) is what the rounded sum grows by.
CREATE OR REPLACE TABLE lines AS
WITH summed AS (
    SELECT
        costs.*,
        sum(whole) OVER line_order AS whole_after,
        sum(rest) OVER line_order AS rest_after,
        common
    FROM costs
    JOIN denominators USING (bill, month_no)
    WINDOW line_order AS (
        PARTITION BY bill, month_no
        ORDER BY window_no, piece_from, position, is_tail, from_at, part_no, tier_no
        ROWS UNBOUNDED PRECEDING
    )
), rounded AS (
    SELECT
        *,
        whole_after + (2 * rest_after + common) // (2 * common) AS rounded_after,
        (whole_after - whole)
            + (2 * (rest_after - rest) + common) // (2 * common) AS rounded_before
    FROM summed
)
SELECT
    rounded.* EXCLUDE (whole, rest, whole_after, rest_after, common, rounded_after, rounded_before),
    rounded_after - rounded_before AS units
FROM rounded
WHERE is_charged;
