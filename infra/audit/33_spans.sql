-- When each piece is charged, and by which stretch of the book: in each slice of the period that it
-- lies in, and, after a claim that ended, up to the longest minimum of any price, at the prices at
-- which it ended (`is_tail`). `span` numbers all of them in the order of the lines.
CREATE OR REPLACE TEMP TABLE spans AS
WITH found AS (
    SELECT
        bill,
        until_position,
        month_no,
        window_no,
        is_charged,
        pieces.from_at AS piece_from,
        position,
        false AS is_tail,
        greatest(pieces.from_at, slices.from_at) AS from_at,
        least(pieces.to_at, slices.to_at) AS to_at,
        pieces.to_at AS ended,
        stretch,
        status,
        claimed_at,
        request
    FROM pieces
    JOIN slices ON pieces.from_at < slices.to_at AND slices.from_at < pieces.to_at
    WHERE pieces.from_at < pieces.to_at
    UNION ALL
    SELECT
        bill,
        until_position,
        month_no,
        window_no,
        is_charged,
        pieces.from_at,
        position,
        true,
        greatest(windows.from_at, pieces.to_at),
        windows.to_at,
        pieces.to_at,
        stretch,
        status,
        claimed_at,
        request
    FROM pieces
    JOIN windows
        ON pieces.to_at < windows.to_at
        AND claimed_at + (SELECT max(minimum) FROM prices) > greatest(windows.from_at, pieces.to_at)
    JOIN stretches
        ON stretches.from_at <= greatest(pieces.from_at, pieces.to_at - 1)
        AND greatest(pieces.from_at, pieces.to_at - 1) < stretches.to_at
    WHERE ends_claim
)
SELECT
    row_number() OVER (
        ORDER BY bill, month_no, window_no, piece_from, position, is_tail, from_at
    ) AS span,
    *
FROM found;
