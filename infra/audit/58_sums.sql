-- The total, the number of lines, and the digest of each bill.
CREATE OR REPLACE TEMP TABLE sums AS
WITH totals AS (
    SELECT bill, count(*) AS lines, money(sum(units)) AS total FROM lines GROUP BY bill
), digests AS (
    SELECT
        bill,
        sha256(string_agg(
            concat_ws(
                chr(9), position, from_at, to_at, price, provider, resource_class, unit, flavor,
                amount_held, unit_price, amount
            ) || chr(10),
            '' ORDER BY month_no, line_no
        )) AS digest
    FROM told
    GROUP BY bill
)
SELECT * FROM totals JOIN digests USING (bill);
