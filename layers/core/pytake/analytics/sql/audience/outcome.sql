-- The people whose conversations with a flow began within the period and had an event of a type.
WITH told AS (
    SELECT type, contact, session, flow_id
    FROM events
    WHERE organization_id = :organization_id AND dt >= :first_day AND dt <= :last_day AND session IS NOT NULL
        AND type IN ('session_started', 'completed', 'handed_off', 'expired')
),

came_to AS (
    SELECT DISTINCT session
    FROM told
    WHERE type = :type
)

SELECT DISTINCT told.contact
FROM told
INNER JOIN came_to ON came_to.session = told.session
WHERE told.type = 'session_started' AND told.flow_id = :flow_id
