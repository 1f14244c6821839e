-- What is left after a claim gave back a part: of everything that its newest whole event named, what
-- exceeds all that was given back since. An event after which nothing is left has no row.
CREATE TABLE rests AS
WITH released AS (
    SELECT position, whole_position, items_of(shares) AS items
    FROM claim_events
    WHERE kind = 'released' AND NOT coalesce(gives_all, false)
), given AS (
    SELECT position, whole_position, unnest(items) AS item FROM released
), whole AS (
    SELECT
        position,
        unnest(items_of(shares)) AS item,
        generate_subscripts(items_of(shares), 1) AS nth
    FROM claim_events
    WHERE position IN (SELECT whole_position FROM released)
), amounts AS (
    SELECT
        released.position,
        whole.nth,
        any_value(whole.item) AS item,
        any_value(whole.item.amount) - coalesce(sum(given.item.amount), 0) AS amount
    FROM released
    JOIN whole ON whole.position = released.whole_position
    LEFT JOIN given
        ON given.whole_position = released.whole_position
        AND given.position <= released.position
        AND given.item.provider = whole.item.provider
        AND given.item.class = whole.item.class
        AND given.item.unit IS NOT DISTINCT FROM whole.item.unit
    GROUP BY released.position, whole.nth
)
SELECT
    position,
    list(struct_update(item, amount := CAST(amount AS BIGINT)) ORDER BY nth) AS items
FROM amounts
WHERE amount > 0
GROUP BY position;
