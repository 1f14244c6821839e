-- Decimal numbers of a price book as exact whole numbers, and back: quantities have at most six
-- decimals, prices twelve. `money` tells smallest units of the book's currency, of which `smallest_units` make one.
CREATE MACRO power_of_ten(n) AS CAST('1' || repeat('0', CAST(n AS BIGINT)) AS HUGEINT);

CREATE MACRO millionths(quantity) AS
    CAST(replace(CAST(CAST(quantity AS DECIMAL(38, 6)) AS VARCHAR), '.', '') AS HUGEINT);

CREATE MACRO plain(price) AS regexp_replace(CAST(price AS VARCHAR), '\.?0+$', '');

CREATE MACRO money(units) AS CASE getvariable('scale')
    WHEN 0 THEN CAST(units AS VARCHAR)
    ELSE CAST(units // getvariable('smallest_units') AS VARCHAR) || '.' || lpad(
        CAST(units % getvariable('smallest_units') AS VARCHAR),
        CAST(getvariable('scale') AS INTEGER), '0')
END;
