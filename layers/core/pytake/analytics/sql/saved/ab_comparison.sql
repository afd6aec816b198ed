-- A/B comparison: the paths of a `random` node, by the share of their conversations that reached a goal, with Wilson's interval,
-- and the difference to the first path with Newcombe's interval, both at 95 %. `differs` is true when that interval excludes 0.
-- A conversation belongs to the path it took first.
-- Values: organization, first day, last day (UTC, '2026-11-01'), the flow of the node, the random node,
-- the goal ('completed', or a node that must be reached afterwards).
WITH told AS (
    SELECT type, event_id, session, node_flow_id, node_id, node_exit, arrived
    FROM events
    WHERE organization_id = ? AND dt BETWEEN ? AND ? AND type IN ('node_entered', 'completed')
),

choices AS (
    SELECT session, min_by(node_exit, event_id) AS path, min(event_id) AS chosen
    FROM told
    WHERE type = 'node_entered' AND node_flow_id = ? AND node_id = ? AND node_exit LIKE 'path:%'
    GROUP BY session
),

goals AS (
    SELECT told.session, max(told.event_id) AS reached
    FROM told
    WHERE ? = CASE WHEN told.type = 'completed' THEN 'completed' WHEN told.arrived THEN told.node_id END
    GROUP BY told.session
),

counts AS (
    SELECT
        substr(choices.path, 6) AS path,
        count(*) AS conversations,
        count_if(goals.reached > choices.chosen) AS reached
    FROM choices
    LEFT JOIN goals ON goals.session = choices.session
    GROUP BY substr(choices.path, 6)
),

rates AS (
    SELECT
        path,
        conversations,
        reached,
        reached / CAST(conversations AS double) AS rate,
        wilson_interval_lower(reached, conversations, 1.96e0) AS low,
        wilson_interval_upper(reached, conversations, 1.96e0) AS high,
        row_number() OVER (ORDER BY path) AS place
    FROM counts
)

SELECT
    this.path,
    this.conversations,
    this.reached,
    round(this.rate, 4) AS rate,
    round(this.low, 4) AS rate_from,
    round(this.high, 4) AS rate_to,
    round(this.rate - base.rate, 4) AS difference,
    round(this.rate - base.rate - sqrt(power(this.rate - this.low, 2) + power(base.high - base.rate, 2)), 4) AS difference_from,
    round(this.rate - base.rate + sqrt(power(this.high - this.rate, 2) + power(base.rate - base.low, 2)), 4) AS difference_to,
    this.rate - base.rate - sqrt(power(this.rate - this.low, 2) + power(base.high - base.rate, 2)) > 0
        OR this.rate - base.rate + sqrt(power(this.high - this.rate, 2) + power(base.rate - base.low, 2)) < 0 AS differs
FROM rates AS this
LEFT JOIN rates AS base ON base.place = 1 AND this.place > 1
ORDER BY this.path
