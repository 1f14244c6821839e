-- Whether a unit's attributes meet all conditions: each attribute is there, and equals one of the
-- values (none is an object), where 1, "1" and true are three different ones, as in JSON; or is a
-- whole number within a range.
CREATE MACRO attribute_of(attributes, condition) AS coalesce(
    json_extract(attributes, '$."' || (condition ->> '$.attribute') || '"'),
    CAST('{}' AS JSON)
);

CREATE MACRO is_in_range(value, condition) AS
    json_type(value) IN ('UBIGINT', 'BIGINT')
    AND TRY_CAST(value AS BIGINT)
        >= coalesce(CAST(condition ->> '$.at_least' AS BIGINT), -9223372036854775807)
    AND TRY_CAST(value AS BIGINT)
        <= coalesce(CAST(condition ->> '$.at_most' AS BIGINT), 9223372036854775807);

CREATE MACRO meets(attributes, conditions) AS coalesce(list_bool_and(list_transform(
    json_extract(conditions, '$[*]'),
    lambda condition: CASE
        WHEN (condition ->> '$.at_least') IS NULL AND (condition ->> '$.at_most') IS NULL
        THEN list_contains(
            list_concat(json_extract(condition, '$.in[*]'), [condition -> '$.equals']),
            attribute_of(attributes, condition)
        )
        ELSE is_in_range(attribute_of(attributes, condition), condition)
    END
)), true);
