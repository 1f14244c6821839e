-- The windows, cut where some price begins or ends.
CREATE OR REPLACE TEMP TABLE slices AS
SELECT
    window_no,
    month_no,
    is_charged,
    stretch,
    greatest(windows.from_at, stretches.from_at) AS from_at,
    least(windows.to_at, stretches.to_at) AS to_at
FROM windows
JOIN stretches ON stretches.from_at < windows.to_at AND windows.from_at < stretches.to_at;
