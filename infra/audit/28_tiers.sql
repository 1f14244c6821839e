-- The tiers of each price in each month, in exact whole numbers.
--
-- Usage is counted as amount × microseconds. `above` and `below` are a tier's bounds in usage;
-- `below` NULL: no upper one. A price's free quantity is a first tier that costs nothing. What one
-- of usage costs, in the currency's smallest unit, is numerator / denominator, reduced.
CREATE OR REPLACE TEMP TABLE tiers AS
WITH lengths AS (
    SELECT
        months.month_no,
        prices.price_no,
        prices.amount * CAST(CASE per
            WHEN 'second' THEN 1000000
            WHEN 'minute' THEN 60000000
            WHEN 'hour' THEN 3600000000
            WHEN 'day' THEN 86400000000
            WHEN 'month' THEN month_length
        END AS HUGEINT) AS usage_of_one,
        millionths(free_quantity) AS free,
        list_concat(
            CASE WHEN millionths(free_quantity) > 0
                THEN [{above: CAST(0 AS HUGEINT), price: CAST(0 AS DECIMAL(38, 12))}] ELSE []
            END,
            list_transform(
                json_extract(tiers, '$[*]'),
                lambda tier: {
                    above: millionths(coalesce(tier ->> '$.above', '0'))
                        + millionths(free_quantity),
                    price: CAST(tier ->> '$.price' AS DECIMAL(38, 12))
                }
            )
        ) AS tiers
    FROM months
    CROSS JOIN prices
), numbered AS (
    SELECT
        month_no,
        price_no,
        usage_of_one,
        unnest(tiers) AS tier,
        generate_subscripts(tiers, 1) AS tier_no
    FROM lengths
), exact AS (
    SELECT
        *,
        CAST(replace(CAST(tier.price AS VARCHAR), '.', '') AS HUGEINT)
            * power_of_ten(getvariable('scale')) AS money,
        power_of_ten(12) * usage_of_one AS usage
    FROM numbered
)
SELECT
    month_no,
    price_no,
    tier_no,
    tier.above * (usage_of_one // 1000000) AS above,
    lead(tier.above) OVER (PARTITION BY month_no, price_no ORDER BY tier_no)
        * (usage_of_one // 1000000) AS below,
    plain(tier.price) AS unit_price,
    money // gcd(money, usage) AS numerator,
    usage // gcd(money, usage) AS denominator
FROM exact;
