-- For each bill that cannot be made: the first thing that has no price.
CREATE OR REPLACE TEMP TABLE unpriced AS
WITH missing AS (
    SELECT
        *,
        CASE WHEN is_tail THEN greatest(piece_from, ended - 1) ELSE from_at END AS moment
    FROM parts
    WHERE price_no IS NULL
    QUALIFY row_number() OVER (PARTITION BY bill ORDER BY part) = 1
)
SELECT
    bill,
    format(
        'there is no price for {} of the {} that began at position {}, at {}Z',
        class, status, position, strftime(make_timestamp(moment), '%Y-%m-%dT%H:%M:%S.%f')
    ) AS unpriced
FROM missing;
