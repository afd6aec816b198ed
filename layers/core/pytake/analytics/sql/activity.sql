-- What an organization's days come to: the rows of the table `daily` (docs/lake.md). Only counts and latest moments, so
-- that the rows of several days come to the same figures as their events.
-- `session`: one row per session and quarter of an hour: in every time zone days begin at a quarter.
-- `step`: one row per session, node and exit.
SELECT
    'session' AS kind,
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
    max_by(node_exit, event_id) FILTER (WHERE type = 'node_entered' AND node_exit <> 'wait') AS node_exit,
    CAST(NULL AS bigint) AS visits,
    CAST(NULL AS bigint) AS exits
FROM events
WHERE organization_id = :organization_id
    AND dt >= :events_from
    AND dt <= :events_to
    AND session IS NOT NULL
    AND type <> 'delivery'
GROUP BY session, date_add('minute', minute(happened_at) / 15 * 15, date_trunc('hour', happened_at))

UNION ALL

SELECT
    'step' AS kind,
    session,
    CAST(NULL AS timestamp) AS slot,
    CAST(NULL AS varchar) AS contact,
    CAST(NULL AS varchar) AS flow_id,
    CAST(NULL AS integer) AS flow_version,
    CAST(NULL AS timestamp) AS started_at,
    CAST(NULL AS timestamp) AS last_at,
    CAST(NULL AS timestamp) AS completed_at,
    CAST(NULL AS timestamp) AS handed_off_at,
    CAST(NULL AS timestamp) AS expired_at,
    CAST(NULL AS timestamp) AS ended_at,
    CAST(NULL AS timestamp) AS failed_at,
    CAST(NULL AS bigint) AS messages_in,
    CAST(NULL AS bigint) AS messages_bot,
    CAST(NULL AS bigint) AS messages_agent,
    CAST(NULL AS bigint) AS messages_billable,
    CAST(NULL AS varchar) AS step_id,
    node_flow_id,
    node_id,
    CAST(NULL AS varchar) AS exit_id,
    CAST(NULL AS varchar) AS exit_flow_id,
    CAST(NULL AS varchar) AS exit_node_id,
    node_exit,
    count_if(arrived) AS visits,
    count_if(node_exit <> 'wait') AS exits
FROM events
WHERE organization_id = :organization_id
    AND dt >= :events_from
    AND dt <= :events_to
    AND session IS NOT NULL
    AND type = 'node_entered'
GROUP BY session, node_flow_id, node_id, node_exit
