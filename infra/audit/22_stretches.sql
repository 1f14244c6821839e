-- All of time, cut where some price of the book begins or ends: within a stretch, the same prices
-- hold. Half-open.
CREATE OR REPLACE TEMP TABLE stretches AS
WITH bounds AS (
    SELECT getvariable('ever') AS bound
    UNION SELECT getvariable('never')
    UNION SELECT valid_from FROM prices
    UNION SELECT valid_until FROM prices
)
SELECT
    row_number() OVER (ORDER BY bound) AS stretch,
    bound AS from_at,
    lead(bound) OVER (ORDER BY bound) AS to_at
FROM bounds
QUALIFY to_at IS NOT NULL;
