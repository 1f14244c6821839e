-- The units of this flavor that its line number `line` asks for: the first of those that meet the
-- conditions and have so much left.
CREATE OR REPLACE TEMP TABLE wanted AS
SELECT
    moment,
    providers,
    line ->> '$.resource_class' AS class,
    CAST(coalesce(line ->> '$.count', '1') AS BIGINT) AS asked,
    CAST(line ->> '$.amount' AS BIGINT) AS part,
    coalesce(line -> '$.where', '[]') AS conditions
FROM (
    SELECT *, json_extract(units, '$[' || CAST(getvariable('line') AS VARCHAR) || ']') AS line
    FROM trial
)
WHERE line IS NOT NULL;

CREATE OR REPLACE TEMP TABLE chosen AS
SELECT left_over.moment, item_no, part
FROM left_over
JOIN wanted USING (moment, class)
WHERE unit IS NOT NULL
    AND trial > 0
    AND trial >= coalesce(part, trial)
    AND list_contains(providers, provider)
    AND coalesce(meets(attributes, conditions), true)
QUALIFY row_number() OVER (PARTITION BY left_over.moment ORDER BY item_no) <= asked;

UPDATE trial SET fits = false WHERE moment IN (
    SELECT wanted.moment
    FROM wanted
    LEFT JOIN chosen USING (moment)
    GROUP BY wanted.moment, asked
    HAVING count(item_no) < asked
);

UPDATE left_over
SET trial = CASE WHEN part IS NULL THEN 0 ELSE trial - part END
FROM chosen
WHERE left_over.moment = chosen.moment AND left_over.item_no = chosen.item_no;
