-- The flavors of each request, as they were expanded when they were asked for, and the providers
-- that serve each. `nth` is the flavor's place among the components of its request, from 0.
CREATE TABLE flavors AS
WITH asked AS (
    SELECT
        originator_id,
        unnest(json_extract(state, '$.wish.components[*]')) AS component,
        generate_subscripts(json_extract(state, '$.wish.components[*]'), 1) - 1 AS nth
    FROM facts
    WHERE topic = 'request.submitted'
), served AS (
    SELECT originator_id, arg_max(json_extract(state, '$.mappings'), position) AS mappings
    FROM log
    WHERE topic IN ('request.held', 'request.placed')
        AND originator_id IN (SELECT originator_id FROM asked)
    GROUP BY originator_id
)
SELECT
    substr(originator_id, 9) AS request,
    nth,
    component ->> '$.name' AS name,
    coalesce(component -> '$.expansion.resources', '{}') AS resources,
    coalesce(component -> '$.expansion.units', '[]') AS units,
    list_sort(CAST(mappings -> nth AS VARCHAR[])) AS providers
FROM asked
JOIN served USING (originator_id)
WHERE component ->> '$.kind' = 'flavor';
