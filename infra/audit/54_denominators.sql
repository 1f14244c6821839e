-- For each bill and month: the smallest number of parts of a smallest unit of money in which all
-- costs are whole.
CREATE OR REPLACE TEMP TABLE denominators AS
WITH used_prices AS (
    SELECT DISTINCT bill, month_no, price_no FROM used
)
SELECT
    bill,
    month_no,
    list_reduce(list(denominator), lambda one, other: lcm(one, other)) AS common
FROM used_prices
JOIN tiers USING (month_no, price_no)
GROUP BY bill, month_no;
