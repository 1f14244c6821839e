-- The prices of one publication of a book, in the book's order. Validity is in microseconds since
-- 1970, without an end where the book names none; `minimum` is in microseconds.
CREATE OR REPLACE TEMP TABLE prices AS
WITH listed AS (
    SELECT
        unnest(json_extract(state, '$.prices.prices[*]')) AS price,
        generate_subscripts(json_extract(state, '$.prices.prices[*]'), 1) AS price_no
    FROM facts
    WHERE topic = 'price_book.published'
        AND originator_id = 'price_book:' || getvariable('book')
        AND CAST(state ->> '$.number' AS BIGINT) = getvariable('number')
)
SELECT
    price_no,
    price ->> '$.name' AS name,
    price ->> '$.target.kind' AS kind,
    coalesce(price ->> '$.target.resource_class', price ->> '$.target.name') AS target,
    coalesce(price -> '$.target.where', '[]') AS conditions,
    price ->> '$.per' AS per,
    CAST(coalesce(price ->> '$.amount', '1') AS HUGEINT) AS amount,
    coalesce(price ->> '$.free_quantity', '0') AS free_quantity,
    price -> '$.tiers' AS tiers,
    CAST(coalesce(price ->> '$.minimum_seconds', '0') AS BIGINT) * 1000000 AS minimum,
    CAST(coalesce(price -> '$.applies_to', '["claim"]') AS VARCHAR[]) AS applies_to,
    coalesce(epoch_us(CAST(price ->> '$.valid_from' AS TIMESTAMPTZ)), getvariable('ever'))
        AS valid_from,
    coalesce(epoch_us(CAST(price ->> '$.valid_until' AS TIMESTAMPTZ)), getvariable('never'))
        AS valid_until
FROM listed;
