-- Each line as the digest reads it: its fields in this order, tabs between them, a line feed after.
CREATE OR REPLACE TABLE told AS
SELECT
    bill,
    row_number() OVER (
        PARTITION BY bill
        ORDER BY
            month_no, window_no, piece_from, position, is_tail, from_at, part_no, tier_no
    ) AS line_no,
    position,
    from_at,
    to_at,
    prices.name AS price,
    provider,
    coalesce(class, '') AS resource_class,
    coalesce(unit, '') AS unit,
    coalesce(flavor, '') AS flavor,
    lines.amount AS amount_held,
    unit_price,
    units,
    money(units) AS amount
FROM lines
JOIN prices USING (price_no);
