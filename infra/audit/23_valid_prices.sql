-- Which prices hold in a stretch, for claims or for holds.
CREATE OR REPLACE TEMP TABLE valid_prices AS
SELECT stretch, status, price_no, kind, target
FROM stretches
JOIN prices ON valid_from <= from_at AND from_at < valid_until
CROSS JOIN (SELECT unnest(['claim', 'hold']) AS status)
WHERE list_contains(applies_to, status);
