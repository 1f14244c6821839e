-- The price of a class as such, or of a flavor: the book's first that holds.
CREATE OR REPLACE TEMP TABLE target_prices AS
SELECT kind, stretch, status, target, min(price_no) AS price_no
FROM valid_prices
WHERE kind IN ('class', 'flavor')
GROUP BY kind, stretch, status, target;
