-- First-contact resolution: conversations of a flow that were completed without an agent, after which the same contact began
-- no other conversation, in any flow, within some hours. Conversations that are still open do not count.
-- Values: organization, first day, last day (UTC, '2026-11-01'), flow, hours (72). The last day should be further
-- in the past than these hours; otherwise some people have not had the time to come back.
WITH told AS (
    SELECT type, happened_at, contact, session, flow_id
    FROM events
    WHERE organization_id = ? AND dt BETWEEN ? AND ? AND session IS NOT NULL
        AND type IN ('session_started', 'completed', 'handed_off', 'expired', 'closed', 'opted_out', 'failed')
),

conversations AS (
    SELECT
        session,
        max(contact) AS contact,
        max(CASE WHEN type = 'session_started' THEN flow_id END) AS flow_id,
        max(CASE WHEN type = 'session_started' THEN happened_at END) AS started_at,
        max(CASE WHEN type = 'completed' THEN happened_at END) AS completed_at,
        bool_or(type = 'handed_off') AS handed_off
    FROM told
    GROUP BY session
    HAVING bool_or(type <> 'session_started')
),

with_next AS (
    SELECT
        conversations.flow_id,
        conversations.completed_at,
        conversations.handed_off,
        min(later.happened_at) AS came_back_at
    FROM conversations
    LEFT JOIN (SELECT contact, happened_at FROM told WHERE type = 'session_started') AS later
        ON later.contact = conversations.contact AND later.happened_at > conversations.started_at
    GROUP BY conversations.session, conversations.flow_id, conversations.completed_at, conversations.handed_off
),

judged AS (
    SELECT
        completed_at IS NOT NULL AND NOT handed_off AS by_the_bot,
        completed_at IS NOT NULL AND NOT handed_off
            AND (came_back_at IS NULL OR date_diff('hour', completed_at, came_back_at) >= hours) AS resolved
    FROM with_next
    CROSS JOIN (SELECT ? AS for_flow_id, CAST(? AS bigint) AS hours) AS asked
    WHERE flow_id = for_flow_id
)

SELECT
    count(*) AS conversations,
    count_if(by_the_bot) AS completed_without_a_person,
    count_if(resolved) AS resolved,
    round(count_if(resolved) / CAST(nullif(count(*), 0) AS double), 4) AS first_contact_resolution
FROM judged
