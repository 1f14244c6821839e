-- What statements were closed and corrected with, in the log's own words, and what each charge takes
-- back: the total that the statement's charge before it said.
CREATE TABLE charges AS
SELECT
    position AS event_position,
    originator_id AS stream,
    topic = 'statement.corrected' AS is_correction,
    epoch_us(CAST(state ->> '$.at' AS TIMESTAMPTZ)) AS recorded_at,
    state ->> '$.project_id' AS project,
    state ->> '$.period' AS period,
    state ->> '$.price_book' AS price_book,
    state ->> '$.credit' AS credit,
    CAST(state ->> '$.charge.price_book_number' AS BIGINT) AS number,
    CAST(state ->> '$.charge.position' AS BIGINT) AS position,
    CAST(state ->> '$.charge.rating' AS BIGINT) AS rating,
    state ->> '$.charge.currency' AS currency,
    state ->> '$.charge.total' AS total,
    CAST(state ->> '$.charge.lines' AS BIGINT) AS lines,
    state ->> '$.charge.digest' AS digest,
    lag(total) OVER (
        PARTITION BY project, period, price_book ORDER BY event_position
    ) AS total_before
FROM facts
WHERE topic IN ('statement.closed', 'statement.corrected');
