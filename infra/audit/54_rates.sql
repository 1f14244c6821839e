-- For each bill and month: what one of usage costs in each tier, as whole parts of a smallest unit of
-- money, so small (`common` of them make one) that all costs of the month are whole.
CREATE OR REPLACE TEMP TABLE rates AS
WITH used_prices AS (
    SELECT DISTINCT bill, month_no, price_no FROM used
), denominators AS (
    SELECT
        bill,
        month_no,
        list_reduce(list(denominator), lambda one, other: lcm(one, other)) AS common
    FROM used_prices
    JOIN tiers USING (month_no, price_no)
    GROUP BY bill, month_no
)
SELECT
    bill,
    month_no,
    price_no,
    tier_no,
    above,
    below,
    common,
    numerator * (common // denominator) AS rate
FROM used_prices
JOIN tiers USING (month_no, price_no)
JOIN denominators USING (bill, month_no);
