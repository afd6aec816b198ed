-- The sessions that reports read: settled days from the table `daily`, later days from the events.
SELECT
    session, slot, contact, flow_id, flow_version, started_at, last_at, completed_at, handed_off_at, expired_at, ended_at,
    failed_at, messages_in, messages_bot, messages_agent, messages_billable, step_id, node_flow_id, node_id, exit_id,
    exit_flow_id, exit_node_id, node_exit
FROM daily
WHERE organization_id = :organization_id AND dt >= :daily_from AND dt <= :daily_to AND kind = 'session'

UNION ALL

{{event_sessions}}
