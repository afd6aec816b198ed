-- Sessions computed from events: one row per session and quarter of an hour (in every time zone a day begins at one).
-- Only counts and latest times: the rows of several days give the same figures as their events.
SELECT
    session,
    date_add('minute', minute(happened_at) / 15 * 15, date_trunc('hour', happened_at)) AS slot,
    max(contact) AS contact,
    max(flow_id) FILTER (WHERE type = 'session_started') AS flow_id,
    max(flow_version) FILTER (WHERE type = 'session_started') AS flow_version,
    max(happened_at) FILTER (WHERE type = 'session_started') AS started_at,
    max(happened_at) FILTER (WHERE type IN ('session_started', 'message_in', 'node_entered', 'message_out')) AS last_at,
    max(happened_at) FILTER (WHERE type = 'completed') AS completed_at,
    max(happened_at) FILTER (WHERE type = 'handed_off') AS handed_off_at,
    max(happened_at) FILTER (WHERE type = 'expired') AS expired_at,
    max(happened_at) FILTER (WHERE type IN ('closed', 'opted_out')) AS ended_at,
    max(happened_at) FILTER (WHERE type = 'failed') AS failed_at,
    count_if(type = 'message_in') AS messages_in,
    count_if(type = 'message_out' AND code IS NULL) AS messages_bot,
    count_if(type = 'message_out' AND code = 'agent') AS messages_agent,
    count_if(type = 'message_out' AND billable) AS messages_billable,
    max(event_id) FILTER (WHERE type = 'node_entered') AS step_id,
    max_by(node_flow_id, event_id) FILTER (WHERE type = 'node_entered') AS node_flow_id,
    max_by(node_id, event_id) FILTER (WHERE type = 'node_entered') AS node_id,
    max(event_id) FILTER (WHERE type = 'node_entered' AND node_exit <> 'wait') AS exit_id,
    max_by(node_flow_id, event_id) FILTER (WHERE type = 'node_entered' AND node_exit <> 'wait') AS exit_flow_id,
    max_by(node_id, event_id) FILTER (WHERE type = 'node_entered' AND node_exit <> 'wait') AS exit_node_id,
    max_by(node_exit, event_id) FILTER (WHERE type = 'node_entered' AND node_exit <> 'wait') AS node_exit
FROM events
WHERE organization_id = :organization_id
    AND dt >= :events_from
    AND dt <= :events_to
    AND session IS NOT NULL
    AND type <> 'delivery'
GROUP BY session, date_add('minute', minute(happened_at) / 15 * 15, date_trunc('hour', happened_at))
