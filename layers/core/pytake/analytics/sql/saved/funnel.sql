-- Funnel: how many conversations of a flow reached each of the given nodes, one after the other.
-- Values: organization, first day, last day (UTC, '2026-11-01'), flow, the nodes in their order ('consent,name,done'), up to 50.
-- Athena takes a value only in WHERE: the nodes are found among those of the period, and one without visits has no name.
WITH told AS (
    SELECT type, event_id, session, flow_id, node_id, arrived
    FROM events
    WHERE organization_id = ? AND dt BETWEEN ? AND ? AND type IN ('session_started', 'node_entered')
),

conversations AS (
    SELECT session FROM told WHERE type = 'session_started' AND flow_id = ?
),

steps AS (
    SELECT numbers.step, max(visited.node_id) AS node_id
    FROM UNNEST(sequence(1, 50)) AS numbers (step)
    CROSS JOIN (SELECT DISTINCT node_id FROM told UNION ALL SELECT CAST(NULL AS varchar) AS node_id) AS visited
    WHERE element_at(split(?, ','), numbers.step)
        BETWEEN coalesce(visited.node_id, '') AND coalesce(visited.node_id, '~')
    GROUP BY numbers.step
),

paths AS (
    SELECT
        told.session,
        concat(',', array_join(array_agg(CAST(steps.step AS varchar) ORDER BY told.event_id), ',,'), ',') AS path
    FROM told
    INNER JOIN conversations ON conversations.session = told.session
    INNER JOIN steps ON steps.node_id = told.node_id
    WHERE told.type = 'node_entered' AND told.arrived
    GROUP BY told.session
),

reached AS (
    SELECT
        steps.step,
        steps.node_id,
        -- Step 3 is reached on a path that holds 1, 2 and 3 in this order, whatever lies between them.
        count_if(paths.path LIKE concat('%,', array_join(sequence(1, steps.step), ',%,'), ',%')) AS conversations
    FROM steps
    LEFT JOIN paths ON TRUE
    GROUP BY steps.step, steps.node_id
)

SELECT
    reached.step,
    reached.node_id,
    reached.conversations,
    round(reached.conversations / CAST(nullif(totals.conversations, 0) AS double), 4) AS share_of_all,
    round(
        reached.conversations / CAST(nullif(lag(reached.conversations) OVER (ORDER BY reached.step), 0) AS double), 4
    ) AS share_of_step_before
FROM reached
CROSS JOIN (SELECT count(*) AS conversations FROM conversations) AS totals
ORDER BY reached.step
