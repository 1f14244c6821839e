-- Each line as the digest reads it: its fields in this order, tabs between them, a line feed after.
-- Lines are in the order of their months, and in these of their numbers.
CREATE OR REPLACE TEMP VIEW told AS
SELECT
    lines.bill,
    lines.month_no,
    line_no,
    position,
    lines.from_at,
    lines.to_at,
    prices.name AS price,
    provider,
    coalesce(class, '') AS resource_class,
    coalesce(unit, '') AS unit,
    coalesce(flavor, '') AS flavor,
    parts.amount AS amount_held,
    unit_price,
    money(units) AS amount
FROM lines
JOIN parts USING (part)
JOIN prices ON prices.price_no = lines.price_no
JOIN tiers
    ON tiers.month_no = lines.month_no
    AND tiers.price_no = lines.price_no
    AND tiers.tier_no = lines.tier_no;
