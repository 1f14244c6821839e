-- The calendar months (UTC) that the period has a part in, and how long a price's `month` is there.
CREATE OR REPLACE TEMP TABLE months AS
WITH begins AS (
    SELECT unnest(range(
        date_trunc('month', make_timestamp(getvariable('period_start'))),
        make_timestamp(getvariable('period_end')),
        INTERVAL 1 MONTH
    )) AS begin
)
SELECT
    row_number() OVER (ORDER BY begin) AS month_no,
    epoch_us(begin) AS from_at,
    epoch_us(begin + INTERVAL 1 MONTH) AS to_at,
    CASE getvariable('month_rule')
        WHEN 'calendar' THEN epoch_us(begin + INTERVAL 1 MONTH) - epoch_us(begin)
        WHEN '730_hours' THEN 730 * 3600000000
        WHEN '30_days' THEN 30 * 86400000000
    END AS month_length
FROM begins;
