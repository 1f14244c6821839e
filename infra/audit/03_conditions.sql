-- Whether a unit's attributes meet all conditions: each attribute is there, and equals one of the
-- values (none is an object), where 1, "1" and true are three different ones, as in JSON.
CREATE MACRO meets(attributes, conditions) AS coalesce(list_bool_and(list_transform(
    json_extract(conditions, '$[*]'),
    lambda condition: list_contains(
        list_concat(json_extract(condition, '$.in[*]'), [condition -> '$.equals']),
        coalesce(
            json_extract(attributes, '$."' || (condition ->> '$.attribute') || '"'),
            CAST('{}' AS JSON)
        )
    )
)), true);
