-- The conversations of a flow's reports: all that began with this flow within the period, complete.
SELECT
    session,
    contact,
    started_at,
    messages_in,
    messages_bot,
    messages_agent,
    messages_billable,
    date_diff('millisecond', started_at, last_at) AS milliseconds,
    CASE
        WHEN completed_at IS NOT NULL THEN 'completed'
        WHEN handed_off_at IS NOT NULL THEN 'handed_off'
        WHEN expired_at IS NOT NULL THEN 'expired'
        WHEN ended_at IS NOT NULL OR failed_at >= last_at THEN 'ended'
        ELSE 'active'
    END AS state,
    node_flow_id,
    node_id,
    exit_flow_id,
    exit_node_id,
    node_exit
FROM (
    SELECT
        session,
        max(contact) AS contact,
        max(flow_id) AS flow_id,
        max(started_at) AS started_at,
        max(last_at) AS last_at,
        max(completed_at) AS completed_at,
        max(handed_off_at) AS handed_off_at,
        max(expired_at) AS expired_at,
        max(ended_at) AS ended_at,
        max(failed_at) AS failed_at,
        sum(messages_in) AS messages_in,
        sum(messages_bot) AS messages_bot,
        sum(messages_agent) AS messages_agent,
        sum(messages_billable) AS messages_billable,
        max_by(node_flow_id, step_id) AS node_flow_id,
        max_by(node_id, step_id) AS node_id,
        max_by(exit_flow_id, exit_id) AS exit_flow_id,
        max_by(exit_node_id, exit_id) AS exit_node_id,
        max_by(node_exit, exit_id) AS node_exit
    FROM sessions
    GROUP BY session
) AS whole
WHERE flow_id = :flow_id AND started_at >= :begins AND started_at < :ends
