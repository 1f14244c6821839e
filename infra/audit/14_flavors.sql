-- The flavors of each request, as they were expanded when they were asked for, and the providers
-- that serve each: of the option that was placed, 0 being the wish itself and 1 its first
-- alternative. `nth` is the flavor's place among the components of its option, from 0.
CREATE TABLE flavors AS
WITH served AS (
    SELECT
        originator_id,
        arg_max(json_extract(state, '$.mappings'), position) AS mappings,
        coalesce(max(CAST(state ->> '$.decision.option' AS BIGINT)), 0) AS option
    FROM log
    WHERE topic IN ('request.held', 'request.placed')
        AND originator_id IN (
            SELECT originator_id FROM facts WHERE topic = 'request.submitted'
        )
    GROUP BY originator_id
), wished AS (
    SELECT
        originator_id,
        mappings,
        CASE
            WHEN option = 0 THEN state -> '$.wish.components'
            ELSE json_extract(
                state, '$.wish.alternatives[' || CAST(option - 1 AS VARCHAR) || '].components'
            )
        END AS components
    FROM facts
    JOIN served USING (originator_id)
    WHERE topic = 'request.submitted'
), asked AS (
    SELECT
        originator_id,
        mappings,
        unnest(json_extract(components, '$[*]')) AS component,
        generate_subscripts(json_extract(components, '$[*]'), 1) - 1 AS nth
    FROM wished
)
SELECT
    substr(originator_id, 9) AS request,
    nth,
    component ->> '$.name' AS name,
    coalesce(component -> '$.expansion.resources', '{}') AS resources,
    coalesce(component -> '$.expansion.units', '[]') AS units,
    list_sort(CAST(mappings -> nth AS VARCHAR[])) AS providers
FROM asked
WHERE component ->> '$.kind' = 'flavor';
