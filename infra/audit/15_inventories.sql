-- The units of each discrete inventory, and what they were like, from a moment on. It holds until
-- the provider's next discrete inventory of that class.
CREATE TABLE inventories AS
SELECT
    position,
    substr(originator_id, 10) AS provider,
    state ->> '$.resource_class' AS class,
    epoch_us(CAST(state ->> '$.at' AS TIMESTAMPTZ)) AS from_at,
    map_from_entries(list_transform(
        json_extract(state, '$.inventory.units[*]'),
        lambda unit: {k: unit ->> '$.name', v: unit -> '$.attributes'}
    )) AS attributes
FROM facts
WHERE topic = 'provider.inventory_changed' AND state ->> '$.inventory.kind' = 'discrete';
