-- What the projects of these bills held, as far as it may count in the period. Each bill rests on a
-- position of the log: what happened after it did not happen, so an interval that it ended goes on,
-- and a hold ends at its deadline.
CREATE OR REPLACE TEMP TABLE held AS
WITH seen AS (
    SELECT
        bill,
        bills.position AS until_position,
        intervals.* EXCLUDE (stream, project, items, to_at, ends_claim, to_position),
        coalesce(to_position <= bills.position, false) AS is_ended,
        CASE WHEN is_ended THEN to_at ELSE coalesce(hold_until, getvariable('never')) END AS to_at,
        NOT is_ended OR ends_claim AS ends_claim
    FROM intervals
    JOIN bills USING (project)
    WHERE bills.chunk = getvariable('chunk') AND intervals.position <= bills.position
)
SELECT *
FROM seen
WHERE from_at < getvariable('period_end')
    AND to_at > (SELECT min(from_at) FROM months) - (SELECT max(minimum) FROM prices);
