-- The merges of contacts that may concern rows of the period: settled days from the table `daily`, later days from the events. A
-- merge after the period is among them, because a report reads the days up to today; one before it has left no row of the period.
SELECT former_contact, contact
FROM daily
WHERE organization_id = :organization_id AND dt >= :daily_from AND dt <= :daily_to AND kind = 'merged'

UNION ALL

{{event_merges}}
