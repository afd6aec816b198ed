-- Visits, exits and drop-off on the way that a flow's conversations took. A conversation is given up when it ended and was
-- neither completed nor handed over; it drops off at the last node of its path, after the last exit it took.
-- Rows of three levels: 7 all conversations, 1 a node, 0 an exit of a node (`wait` is none).
WITH days AS (
{{days}}
),

conversations AS (
{{conversations}}
),

steps AS (
    SELECT
        conversations.session,
        steps.node_flow_id,
        steps.node_id,
        steps.node_exit,
        steps.visits,
        steps.exits,
        conversations.state IN ('expired', 'ended')
            AND conversations.node_flow_id = steps.node_flow_id
            AND conversations.node_id = steps.node_id AS given_up_here,
        conversations.state IN ('expired', 'ended')
            AND conversations.exit_flow_id = steps.node_flow_id
            AND conversations.exit_node_id = steps.node_id
            AND conversations.node_exit = steps.node_exit AS given_up_after
    FROM conversations
    LEFT JOIN (
        SELECT session, node_flow_id, node_id, node_exit, visits, exits FROM days WHERE kind = 'step'
    ) AS steps ON steps.session = conversations.session
)

SELECT
    grouping(node_flow_id, node_id, node_exit) AS level,
    node_flow_id,
    node_id,
    node_exit,
    count(DISTINCT session) AS conversations,
    sum(visits) AS visits,
    sum(exits) AS exits,
    count(DISTINCT CASE WHEN given_up_here THEN session END) AS node_drop_offs,
    count(DISTINCT CASE WHEN given_up_after THEN session END) AS exit_drop_offs
FROM steps
GROUP BY GROUPING SETS ((), (node_flow_id, node_id), (node_flow_id, node_id, node_exit))
