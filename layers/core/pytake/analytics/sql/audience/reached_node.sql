-- The people who reached a node.
SELECT DISTINCT contact
FROM events
WHERE organization_id = :organization_id AND dt >= :first_day AND dt <= :last_day AND type = 'node_entered' AND arrived
    AND node_flow_id = :flow_id AND node_id = :node_id
