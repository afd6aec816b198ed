-- Steps computed from events: one row per session, node and exit. They add up over days as well.
SELECT
    session,
    node_flow_id,
    node_id,
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
