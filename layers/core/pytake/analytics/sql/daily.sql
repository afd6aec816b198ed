-- The file of an organization's day. Sorted, because a sorted result is written as one file, and packs best.
SELECT *
FROM (
{{activity}}
) AS activity
ORDER BY kind, session, slot, node_flow_id, node_id, node_exit
