-- The same, cut where what is known of the units changes: each piece begins at `from_at`.
CREATE OR REPLACE TEMP TABLE pieces AS
WITH holds_units AS (
    SELECT bill, until_position, position, held.from_at, held.to_at, unnest(items) AS item
    FROM held
    JOIN intervals USING (position)
    WHERE held.has_units
), changes AS (
    SELECT bill, holds_units.position, list_sort(list(DISTINCT inventories.from_at)) AS moments
    FROM holds_units
    JOIN inventories
        ON inventories.provider = item.provider
        AND inventories.class = item.class
        AND inventories.position <= until_position
        AND holds_units.from_at < inventories.from_at
        AND inventories.from_at < holds_units.to_at
    WHERE item.unit IS NOT NULL
    GROUP BY bill, holds_units.position
)
SELECT
    held.* EXCLUDE (from_at, to_at, ends_claim),
    unnest(list_concat([from_at], coalesce(moments, []))) AS from_at,
    unnest(list_concat(coalesce(moments, []), [to_at])) AS to_at,
    unnest(list_concat(list_transform(coalesce(moments, []), lambda cut: false), [ends_claim]))
        AS ends_claim
FROM held
LEFT JOIN changes USING (bill, position);
