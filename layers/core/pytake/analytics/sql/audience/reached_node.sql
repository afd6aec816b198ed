-- The people who reached a node.
-- Values: organization, first day, last day (UTC), flow of the node, node.
SELECT DISTINCT contact
FROM events
WHERE organization_id = ? AND dt BETWEEN ? AND ? AND type = 'node_entered' AND arrived
    AND node_flow_id = ? AND node_id = ?
