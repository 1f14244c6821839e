-- Each part, cut at the tiers of its price: what it costs, exactly, as whole smallest units of money
-- and parts of one more (`rest`, of the common denominator).
CREATE OR REPLACE TEMP TABLE costs AS
WITH cut AS (
    SELECT
        used.* EXCLUDE (usage, used_after),
        tier_no,
        least(used_after, coalesce(below, used_after)) - greatest(used_after - usage, above)
            AS used_here,
        numerator,
        denominator,
        common
    FROM used
    JOIN tiers USING (month_no, price_no)
    JOIN denominators USING (bill, month_no)
    WHERE used_here > 0
)
SELECT
    * EXCLUDE (used_here, numerator, denominator),
    used_here * numerator // denominator AS whole,
    used_here * numerator % denominator * (common // denominator) AS rest
FROM cut;
