-- What the units that are held were like when a piece began, as JSON; '{}' where nothing is known.
CREATE OR REPLACE TEMP TABLE unit_facts AS
WITH items AS (
    SELECT bill, until_position, pieces.from_at AS piece_from, unnest(items) AS item
    FROM pieces
    JOIN intervals USING (position)
    WHERE pieces.has_units
), units AS (
    SELECT DISTINCT
        bill, until_position, piece_from, item.provider, item.class, item.unit
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
