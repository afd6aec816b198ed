-- Drop-off: the node where conversations of a flow were abandoned, and the last exit that they took. A conversation is
-- abandoned when it expired, was closed, opted out or failed, and was neither completed nor handed over.
-- Values: organization, first day, last day (UTC, '2026-11-01'), flow.
WITH told AS (
    SELECT type, event_id, session, flow_id, node_flow_id, node_id, node_exit
    FROM events
    WHERE organization_id = ? AND dt BETWEEN ? AND ? AND type <> 'delivery' AND session IS NOT NULL
),

conversations AS (
    SELECT
        session,
        max(CASE WHEN type = 'session_started' THEN flow_id END) AS flow_id,
        bool_or(type IN ('completed', 'handed_off')) AS went_well,
        bool_or(type IN ('expired', 'closed', 'opted_out', 'failed')) AS ended,
        max_by(node_flow_id, event_id) FILTER (WHERE type = 'node_entered') AS node_flow_id,
        max_by(node_id, event_id) FILTER (WHERE type = 'node_entered') AS node_id,
        max_by(node_id, event_id) FILTER (WHERE type = 'node_entered' AND node_exit <> 'wait') AS last_exit_of,
        max_by(node_exit, event_id) FILTER (WHERE type = 'node_entered' AND node_exit <> 'wait') AS last_exit
    FROM told
    GROUP BY session
)

SELECT
    node_flow_id,
    node_id,
    last_exit_of,
    last_exit,
    count(*) AS given_up,
    round(count(*) / CAST(sum(count(*)) OVER () AS double), 4) AS share
FROM conversations
WHERE flow_id = ? AND ended AND NOT went_well
GROUP BY node_flow_id, node_id, last_exit_of, last_exit
ORDER BY given_up DESC, node_flow_id, node_id, last_exit_of, last_exit
