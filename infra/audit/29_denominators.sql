-- The smallest number of parts of a smallest unit of money in which all costs of a month are whole.
CREATE OR REPLACE TABLE denominators AS
SELECT month_no, list_reduce(list(denominator), lambda one, other: lcm(one, other)) AS common
FROM tiers
GROUP BY month_no;
