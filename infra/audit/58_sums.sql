-- The total, the number of lines, and the digest of each bill.
CREATE OR REPLACE TABLE sums AS
SELECT
    bill,
    count(*) AS lines,
    money(sum(units)) AS total,
    sha256(string_agg(concat_ws(chr(9), position, from_at, to_at, price, provider,
        resource_class, unit, flavor, amount_held, unit_price, amount) || chr(10), '' ORDER BY line_no)) AS digest
FROM told
GROUP BY bill;
