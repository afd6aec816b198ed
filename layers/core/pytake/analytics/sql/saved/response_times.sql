-- Response times in the conversations of a flow: how long people take to answer the bot, by the node that asked, and how long
-- they wait for an agent's first message after a handoff (node null). Half wait no longer than the median.
-- Values: organization, first day, last day (UTC, '2026-11-01'), flow.
WITH told AS (
    SELECT type, event_id, happened_at, session, flow_id, turn, node_flow_id, node_id, node_exit, arrived, code
    FROM events
    WHERE organization_id = ? AND dt BETWEEN ? AND ? AND type <> 'delivery' AND session IS NOT NULL
),

conversations AS (
    SELECT session FROM told WHERE type = 'session_started' AND flow_id = ?
),

turns AS (
    SELECT
        told.session,
        told.turn,
        max(told.happened_at) AS happened_at,
        bool_or(told.type = 'message_in') AS person_wrote,
        max_by(told.node_flow_id, told.event_id) FILTER (WHERE told.type = 'node_entered') AS node_flow_id,
        max_by(told.node_id, told.event_id) FILTER (WHERE told.type = 'node_entered') AS node_id,
        max_by(told.node_exit, told.event_id) FILTER (WHERE told.type = 'node_entered') AS node_exit,
        bool_or(told.type = 'node_entered' AND NOT told.arrived) AS went_on
    FROM told
    INNER JOIN conversations ON conversations.session = told.session
    GROUP BY told.session, told.turn
),

in_order AS (
    SELECT
        person_wrote,
        went_on,
        happened_at,
        lag(happened_at) OVER (PARTITION BY session ORDER BY turn) AS asked_at,
        lag(node_flow_id) OVER (PARTITION BY session ORDER BY turn) AS node_flow_id,
        lag(node_id) OVER (PARTITION BY session ORDER BY turn) AS node_id,
        lag(node_exit) OVER (PARTITION BY session ORDER BY turn) AS node_exit
    FROM turns
),

handovers AS (
    SELECT told.session, min(told.happened_at) AS handed_off_at
    FROM told
    INNER JOIN conversations ON conversations.session = told.session
    WHERE told.type = 'handed_off' AND coalesce(told.code, '') <> 'agent'
    GROUP BY told.session
),

first_words AS (
    SELECT handovers.session, handovers.handed_off_at, min(told.happened_at) AS answered_at
    FROM handovers
    INNER JOIN told ON told.session = handovers.session
    WHERE told.type = 'message_out' AND told.code = 'agent' AND told.happened_at >= handovers.handed_off_at
    GROUP BY handovers.session, handovers.handed_off_at
),

waits AS (
    SELECT 'person' AS who, node_flow_id, node_id, date_diff('millisecond', asked_at, happened_at) AS milliseconds
    FROM in_order
    WHERE person_wrote AND went_on AND node_exit IN ('wait', 'invalid', 'stale')

    UNION ALL

    SELECT
        'agent' AS who,
        CAST(NULL AS varchar) AS node_flow_id,
        CAST(NULL AS varchar) AS node_id,
        date_diff('millisecond', handed_off_at, answered_at) AS milliseconds
    FROM first_words
),

ranked AS (
    SELECT
        who,
        node_flow_id,
        node_id,
        milliseconds,
        row_number() OVER (PARTITION BY who, node_flow_id, node_id ORDER BY milliseconds) AS place,
        count(*) OVER (PARTITION BY who, node_flow_id, node_id) AS places
    FROM waits
)

SELECT
    who,
    node_flow_id,
    node_id,
    count(*) AS answers,
    round(avg(milliseconds) / 1000, 3) AS average_seconds,
    round(avg(milliseconds) FILTER (WHERE place IN ((places + 1) / 2, (places + 2) / 2)) / 1000, 3) AS median_seconds,
    round(max(milliseconds) FILTER (WHERE place = (95 * places + 99) / 100) / 1000e0, 3) AS p95_seconds
FROM ranked
GROUP BY who, node_flow_id, node_id
ORDER BY who, answers DESC, node_flow_id, node_id
