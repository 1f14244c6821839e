-- What bills need of the log beside claims: few events, put aside so that the log is not read again.
CREATE TABLE facts AS
SELECT position, originator_id, topic, state
FROM log
WHERE topic IN (
    'provider.inventory_changed', 'price_book.published', 'statement.closed', 'statement.corrected'
) OR (topic = 'request.submitted' AND contains(state, '"flavor"'));
