-- The bills that are asked for, in chunks of about as many intervals as fit into memory.
CREATE OR REPLACE TEMP TABLE bills AS
WITH sizes AS (
    SELECT project, count(*) AS intervals FROM intervals GROUP BY project
), placed AS (
    SELECT bill, project, position, sum(coalesce(intervals, 0)) OVER (ORDER BY bill) AS until_here
    FROM asked
    LEFT JOIN sizes USING (project)
)
SELECT bill, project, position, until_here // getvariable('at_once') AS chunk
FROM placed;
