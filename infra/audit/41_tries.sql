-- The flavors that have a price, for each piece and stretch in which they are charged if all of them
-- is still held; `moment` numbers these.
CREATE OR REPLACE TEMP TABLE tries AS
WITH found AS (
    SELECT DISTINCT
        bill, piece_from, position, stretch, nth, flavors.name, resources, units, providers,
        price_no
    FROM spans
    JOIN flavors USING (request)
    JOIN target_prices USING (stretch, status)
    WHERE target_prices.kind = 'flavor' AND target_prices.target = flavors.name
)
SELECT dense_rank() OVER (ORDER BY bill, position, piece_from, stretch) AS moment, found.*
FROM found;
