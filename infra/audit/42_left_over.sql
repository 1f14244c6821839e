-- What is held at these moments, for the flavors to be taken from. `amount` is what is left; `trial`
-- what would be left if the flavor in question were taken.
CREATE OR REPLACE TEMP TABLE left_over AS
WITH moments AS (
    SELECT DISTINCT moment, bill, piece_from, position, stretch FROM tries
), items AS (
    SELECT
        moments.*,
        unnest(items) AS item,
        generate_subscripts(items, 1) AS item_no
    FROM moments
    JOIN intervals USING (position)
)
SELECT
    items.* EXCLUDE (item),
    item.provider,
    item.class,
    item.unit,
    item.amount,
    item.amount AS trial,
    attributes
FROM items
LEFT JOIN unit_facts
    ON unit_facts.bill = items.bill
    AND unit_facts.piece_from = items.piece_from
    AND unit_facts.provider = item.provider
    AND unit_facts.class = item.class
    AND unit_facts.unit = item.unit;

CREATE OR REPLACE TEMP TABLE taken AS
SELECT moment, bill, piece_from, position, stretch, nth, name, price_no, providers FROM tries
WHERE false;
