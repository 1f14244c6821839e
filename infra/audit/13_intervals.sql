-- What each consumer held, unchanged, from one event to the next. An interval is named by the
-- position of the event that began it. A hold that nothing ended ends at its deadline; a claim that
-- nothing ended goes on (`to_at` NULL). `ends_claim`: nothing of the claim is left after it.
CREATE TABLE intervals AS
WITH found AS (
    SELECT
        event.position,
        event.stream,
        event.project,
        CASE event.kind WHEN 'held' THEN 'hold' ELSE 'claim' END AS status,
        event.claimed_at,
        event.event_at AS from_at,
        event.next_position AS to_position,
        event.next_ends_at AS to_at,
        event.hold_until,
        event.next_kind IS NULL
            OR event.next_kind = 'lapsed'
            OR (event.next_kind = 'released' AND next_rest.position IS NULL) AS ends_claim,
        event.whole_request AS request,
        CASE event.kind WHEN 'released' THEN rest.items ELSE items_of(event.shares) END AS items
    FROM claim_events AS event
    LEFT JOIN rests AS rest ON rest.position = event.position
    LEFT JOIN rests AS next_rest ON next_rest.position = event.next_position
    WHERE event.kind IN ('held', 'granted', 'changed')
        OR (event.kind = 'released' AND rest.position IS NOT NULL)
)
SELECT *, items[1].unit IS NOT NULL AS has_units
FROM found;
