-- Visits, exits and drop-off along the paths of a flow's conversations. A conversation is abandoned when it ended and was
-- neither completed nor handed over; it drops off at the last node of its path, after the last exit it took. One that has
-- not ended is still at that node.
-- Rows of three levels: 7 all conversations, 1 a node, 0 an exit of a node (`wait` is not an exit).
-- Sessions and steps are read once each, and conversations get numbers: most of the time goes into counting distinct
-- conversations, and a number is counted much faster than a pseudonym.
WITH sessions AS (
{{sessions}}
),

steps AS (
{{steps}}
),

conversations AS (
{{conversations}}
),

numbered AS (
    SELECT
        session,
        row_number() OVER () AS number,
        state IN ('expired', 'ended') AS given_up,
        state = 'active' AS going_on,
        node_flow_id,
        node_id,
        exit_flow_id,
        exit_node_id,
        node_exit
    FROM conversations
),

walked AS (
    SELECT
        numbered.number,
        steps.node_flow_id,
        steps.node_id,
        steps.node_exit,
        steps.visits,
        steps.exits,
        numbered.given_up
            AND numbered.node_flow_id = steps.node_flow_id
            AND numbered.node_id = steps.node_id AS given_up_here,
        numbered.going_on
            AND numbered.node_flow_id = steps.node_flow_id
            AND numbered.node_id = steps.node_id AS still_here,
        numbered.given_up
            AND numbered.exit_flow_id = steps.node_flow_id
            AND numbered.exit_node_id = steps.node_id
            AND numbered.node_exit = steps.node_exit AS given_up_after
    FROM numbered
    LEFT JOIN steps ON steps.session = numbered.session
)

SELECT
    grouping(node_flow_id, node_id, node_exit) AS level,
    node_flow_id,
    node_id,
    node_exit,
    count(DISTINCT number) AS conversations,
    sum(visits) AS visits,
    sum(exits) AS exits,
    count(DISTINCT CASE WHEN given_up_here THEN number END) AS node_drop_offs,
    count(DISTINCT CASE WHEN still_here THEN number END) AS still_here,
    count(DISTINCT CASE WHEN given_up_after THEN number END) AS exit_drop_offs
FROM walked
GROUP BY GROUPING SETS ((), (node_flow_id, node_id), (node_flow_id, node_id, node_exit))
