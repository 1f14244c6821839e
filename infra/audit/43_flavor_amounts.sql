-- One flavor (the variable `flavor` says which, by its place in the request): try to take its
-- amounts, from the first of the providers that serve it on. `fits` false: there is less.
CREATE OR REPLACE TEMP TABLE trial AS
SELECT tries.*, true AS fits FROM tries WHERE nth = getvariable('flavor');

UPDATE left_over SET trial = amount;

CREATE OR REPLACE TEMP TABLE wanted AS
SELECT moment, providers, unnest(map_entries(from_json(resources, '"MAP(VARCHAR, BIGINT)"'))) AS want
FROM trial;

UPDATE trial SET fits = false WHERE moment IN (
    SELECT wanted.moment
    FROM wanted
    LEFT JOIN left_over
        ON left_over.moment = wanted.moment
        AND unit IS NULL
        AND class = want.key
        AND list_contains(providers, provider)
    GROUP BY wanted.moment, want
    HAVING coalesce(sum(amount), 0) < want.value
);

UPDATE left_over
SET trial = trial - greatest(0, least(trial, still))
FROM (
    SELECT
        left_over.moment AS of_moment,
        item_no AS of_item,
        want.value - coalesce(sum(trial) OVER (
            PARTITION BY left_over.moment, class ORDER BY provider
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS still
    FROM left_over
    JOIN wanted USING (moment)
    WHERE unit IS NULL AND class = want.key AND list_contains(providers, provider)
)
WHERE moment = of_moment AND item_no = of_item;
