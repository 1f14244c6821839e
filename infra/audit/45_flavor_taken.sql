-- The flavor is taken where all of it was there, and else nothing of it.
UPDATE left_over SET amount = trial WHERE moment IN (SELECT moment FROM trial WHERE fits);

INSERT INTO taken
SELECT moment, bill, piece_from, position, stretch, nth, name, price_no, providers
FROM trial
WHERE fits;
