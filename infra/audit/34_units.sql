-- What the units that are held were like when a piece began, as JSON; '{}' where nothing is known.
CREATE OR REPLACE TABLE unit_facts AS
WITH items AS (
    SELECT bill, until_position, from_at, unnest(items) AS item
    FROM pieces
    WHERE items[1].unit IS NOT NULL
), units AS (
    SELECT DISTINCT
        bill, until_position, from_at AS piece_from, item.provider, item.class, item.unit
    FROM items
    WHERE item.unit IS NOT NULL
), known AS (
    SELECT units.*, arg_max(attributes, inventories.position) AS attributes
    FROM units
    LEFT JOIN inventories
        ON inventories.provider = units.provider
        AND inventories.class = units.class
        AND inventories.position <= until_position
        AND inventories.from_at <= piece_from
    GROUP BY ALL
)
SELECT known.* EXCLUDE (attributes), coalesce(attributes[unit], '{}') AS attributes
FROM known;
