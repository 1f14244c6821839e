-- The price of each unit that is held: the book's first for its class whose conditions it meets.
CREATE OR REPLACE TEMP TABLE unit_prices AS
SELECT bill, piece_from, provider, class, unit, stretch, status, min(price_no) AS price_no
FROM unit_facts
JOIN valid_prices ON valid_prices.kind = 'units' AND valid_prices.target = class
JOIN prices USING (price_no)
WHERE meets(attributes, conditions)
GROUP BY ALL;
