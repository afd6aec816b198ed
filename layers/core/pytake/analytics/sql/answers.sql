-- What people answered in a flow's conversations that began within the period: one row per conversation, the latest first. The
-- answers are the latest value of each variable that the flow marks for reporting; a person who was erased has none.
WITH told AS (
    SELECT type, event_id, happened_at, contact, session, flow_id, variables
    FROM events
    WHERE organization_id = :organization_id
        AND dt >= :events_from
        AND dt <= :events_to
        AND session IS NOT NULL
        AND type IN ('session_started', 'reported', 'completed', 'handed_off', 'expired', 'closed', 'opted_out', 'failed')
),

begun AS (
    SELECT session, contact, happened_at AS started_at
    FROM told
    WHERE type = 'session_started' AND flow_id = :flow_id AND happened_at >= :begins AND happened_at < :ends
),

states AS (
    SELECT
        session,
        CASE
            WHEN bool_or(type = 'completed') THEN 'completed'
            WHEN bool_or(type = 'handed_off') THEN 'handed_off'
            WHEN bool_or(type = 'expired') THEN 'expired'
            WHEN bool_or(type IN ('closed', 'opted_out', 'failed')) THEN 'ended'
            ELSE 'active'
        END AS state
    FROM told
    GROUP BY session
),

named AS (
    SELECT told.session, told.event_id, names.name, element_at(told.variables, names.name) AS value
    FROM told
    CROSS JOIN UNNEST(map_keys(told.variables)) AS names (name)
    WHERE told.type = 'reported' AND told.variables IS NOT NULL
),

latest AS (
    SELECT session, name, max_by(value, event_id) AS value
    FROM named
    GROUP BY session, name
),

merges AS (
{{merges}}
),

renamed AS (
{{renamed}}
),

joined AS (
    SELECT session, array_join(array_agg(concat(name, $unit, coalesce(value, '')) ORDER BY name), $record) AS answers
    FROM latest
    GROUP BY session
)

SELECT
    begun.session,
    coalesce(renamed.contact, begun.contact) AS contact,
    date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00', begun.started_at) AS started_at,
    states.state,
    joined.answers
FROM begun
INNER JOIN states ON states.session = begun.session
LEFT JOIN renamed ON renamed.former_contact = begun.contact
LEFT JOIN joined ON joined.session = begun.session
ORDER BY begun.started_at DESC, begun.session
LIMIT 10001
