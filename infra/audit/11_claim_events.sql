-- What each event of a claim says, and what its stream says before and after it.
--
-- `kind` is held, granted, changed, released or lapsed. Held, granted and changed name everything
-- that is held from then on: `whole_position` is the newest such event of the stream, this one
-- included. A claim or hold begins with `granted` or `held`; changed and released go on with it.
-- An event ends what the stream's event before it began: a lapse at its own `lapsed_at`.
-- Times are microseconds since 1970.
CREATE TABLE claim_events AS
WITH said AS (
    SELECT
        position,
        originator_id AS stream,
        substr(topic, 7) AS kind,
        json_extract_string(
            state,
            ['$.at', '$.lapsed_at', '$.hold_until', '$.project_id', '$.request_id', '$.shares']
        ) AS fields
    FROM log
    WHERE topic IN
        ('claim.held', 'claim.granted', 'claim.changed', 'claim.released', 'claim.lapsed')
), events AS (
    SELECT
        position,
        stream,
        kind,
        epoch_us(CAST(fields[1] AS TIMESTAMPTZ)) AS event_at,
        epoch_us(CAST(coalesce(fields[2], fields[1]) AS TIMESTAMPTZ)) AS ends_at,
        epoch_us(CAST(fields[3] AS TIMESTAMPTZ)) AS hold_until,
        fields[4] AS project,
        fields[5] AS request,
        fields[6] AS shares
    FROM said
)
SELECT
    events.*,
    lead(position) OVER stream_order AS next_position,
    lead(ends_at) OVER stream_order AS next_ends_at,
    lead(kind) OVER stream_order AS next_kind,
    last_value(CASE WHEN kind IN ('held', 'granted') THEN event_at END IGNORE NULLS)
        OVER stream_order AS claimed_at,
    last_value(CASE WHEN kind IN ('held', 'granted', 'changed') THEN position END IGNORE NULLS)
        OVER stream_order AS whole_position,
    last_value(CASE WHEN kind IN ('held', 'granted', 'changed') THEN request END IGNORE NULLS)
        OVER stream_order AS whole_request,
    kind = 'released' AND shares = lag(CASE WHEN kind <> 'released' THEN shares END)
        OVER stream_order AS gives_all
FROM events
WINDOW stream_order AS (PARTITION BY stream ORDER BY position);
