-- The people of each path of a flow's random nodes who took it within the period, and how many of them reached a goal afterwards in
-- a conversation in which they took it. A person belongs to the path taken first; `mixed` people took several.
WITH told AS (
    SELECT type, event_id, happened_at, contact, session, node_flow_id, node_id, node_exit, code, arrived
    FROM events
    WHERE organization_id = :organization_id
        AND dt >= :events_from
        AND dt <= :events_to
        AND session IS NOT NULL
        AND type IN ('node_entered', 'completed', 'handed_off', 'emitted')
),

choices AS (
    SELECT
        node_id,
        session,
        max(contact) AS contact,
        min_by(node_exit, event_id) AS path,
        count(DISTINCT node_exit) AS paths,
        min(event_id) AS chosen,
        min(happened_at) AS chosen_at
    FROM told
    WHERE type = 'node_entered'
        AND node_flow_id = :flow_id
        AND node_exit LIKE 'path:%'
        AND happened_at >= :begins
        AND happened_at < :ends
    GROUP BY node_id, session
),

goals AS (
    SELECT session, max(event_id) AS reached
    FROM told
    WHERE :goal = CASE
        WHEN type = 'emitted' THEN concat('event:', code)
        WHEN type <> 'node_entered' THEN type
        WHEN arrived THEN concat('node:', node_id)
    END
    GROUP BY session
),

merges AS (
{{merges}}
),

renamed AS (
{{renamed}}
),

people AS (
    SELECT
        choices.node_id,
        coalesce(renamed.contact, choices.contact) AS contact,
        min_by(choices.path, choices.chosen_at) AS path,
        max(choices.paths) > 1 OR count(DISTINCT choices.path) > 1 AS mixed,
        bool_or(coalesce(goals.reached > choices.chosen, false)) AS reached
    FROM choices
    LEFT JOIN renamed ON renamed.former_contact = choices.contact
    LEFT JOIN goals ON goals.session = choices.session
    GROUP BY choices.node_id, coalesce(renamed.contact, choices.contact)
)

SELECT node_id, substr(path, 6) AS path, mixed, count(*) AS people, count_if(reached) AS reached
FROM people
GROUP BY node_id, path, mixed
ORDER BY node_id, path, mixed
