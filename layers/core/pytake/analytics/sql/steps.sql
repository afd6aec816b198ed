-- The steps that reports read: settled days from the table `daily`, later days from the events.
SELECT session, node_flow_id, node_id, node_exit, visits, exits
FROM daily
WHERE organization_id = :organization_id AND dt >= :daily_from AND dt <= :daily_to AND kind = 'step'

UNION ALL

{{event_steps}}
