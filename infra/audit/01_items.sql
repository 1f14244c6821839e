-- What a claim's shares name, one item each, in the order in which they are charged: discrete units
-- by provider, class and name, then amounts by provider and class. A class whose units are named
-- counts by these alone. `shares` is JSON as the events have it.
CREATE MACRO items_of(shares) AS list_sort(flatten(list_transform(
    map_entries(from_json(
        shares,
        '"MAP(VARCHAR,STRUCT(resources MAP(VARCHAR,BIGINT),units MAP(VARCHAR,MAP(VARCHAR,BIGINT))))"'
    )),
    lambda share: list_concat(
        flatten(list_transform(
            map_entries(share.value.units),
            lambda class: list_transform(map_entries(class.value), lambda unit: {
                rank: 1, provider: share.key, class: class.key, unit: unit.key, amount: unit.value
            })
        )),
        list_transform(
            list_filter(
                map_entries(share.value.resources),
                lambda class: NOT coalesce(map_contains(share.value.units, class.key), false)
            ),
            lambda class: {
                rank: 2, provider: share.key, class: class.key, unit: CAST(NULL AS VARCHAR),
                amount: class.value
            }
        )
    )
)));
