-- What is charged in each span, each at one price, in the order of the bill's lines: flavors by
-- their places in the request, then items. `price_no` NULL: there is no price. `part` is the order
-- of all of them; a span has room for a million.
CREATE OR REPLACE TEMP TABLE parts AS
WITH flavored AS (
    SELECT DISTINCT bill, piece_from, position, stretch FROM tries
), items AS (
    SELECT
        spans.* EXCLUDE (until_position, request),
        unnest(items) AS item,
        generate_subscripts(items, 1) AS part_no
    FROM spans
    ANTI JOIN flavored USING (bill, piece_from, position, stretch)
    JOIN intervals USING (position)
), itemized AS (
    SELECT
        items.* EXCLUDE (item), item.provider, item.class, item.unit, item.amount
    FROM items
    UNION ALL BY NAME
    SELECT
        spans.* EXCLUDE (until_position, request),
        item_no AS part_no, provider, class, unit, amount
    FROM spans
    JOIN left_over USING (bill, piece_from, position, stretch)
    WHERE amount > 0
), priced AS (
    SELECT
        itemized.*,
        CAST(NULL AS VARCHAR) AS flavor,
        coalesce(unit_prices.price_no, target_prices.price_no) AS price_no
    FROM itemized
    LEFT JOIN target_prices
        ON target_prices.kind = 'class'
        AND target_prices.stretch = itemized.stretch
        AND target_prices.status = itemized.status
        AND target_prices.target = itemized.class
    LEFT JOIN unit_prices
        ON itemized.unit IS NOT NULL
        AND unit_prices.bill = itemized.bill
        AND unit_prices.piece_from = itemized.piece_from
        AND unit_prices.provider = itemized.provider
        AND unit_prices.class = itemized.class
        AND unit_prices.unit = itemized.unit
        AND unit_prices.stretch = itemized.stretch
        AND unit_prices.status = itemized.status
    UNION ALL BY NAME
    SELECT
        spans.* EXCLUDE (until_position, request),
        nth - 64 AS part_no,
        coalesce(providers[1], '') AS provider,
        NULL AS class,
        NULL AS unit,
        1 AS amount,
        name AS flavor,
        price_no
    FROM spans
    JOIN taken USING (bill, piece_from, position, stretch)
)
SELECT span * 1048576 + part_no AS part, priced.* EXCLUDE (span, part_no)
FROM priced;
