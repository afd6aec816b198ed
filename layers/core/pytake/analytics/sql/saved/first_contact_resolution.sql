-- First-contact resolution: conversations of a flow that were completed without an agent, after which the same contact began
-- no other conversation, in any flow, within some hours. Conversations that are still open do not count.
-- Values: organization, first day, last day (UTC, '2026-11-01'), flow, hours (72). The last day should be further
-- in the past than these hours; otherwise some people have not had the time to come back.
WITH found AS (
    SELECT type, happened_at, contact, session, flow_id, code
    FROM events
    WHERE organization_id = ? AND dt BETWEEN ? AND ?
        AND type IN ('session_started', 'completed', 'handed_off', 'expired', 'closed', 'opted_out', 'failed', 'merged')
),

-- A contact that was merged into another one has that one's pseudonym.
merges AS (
    SELECT code AS former_contact, max(contact) AS contact
    FROM found
    WHERE type = 'merged'
    GROUP BY code
),

told AS (
    SELECT found.type, found.happened_at, coalesce(merges.contact, found.contact) AS contact, found.session, found.flow_id
    FROM found
    LEFT JOIN merges ON merges.former_contact = found.contact
    WHERE found.session IS NOT NULL
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

of_the_flow AS (
    SELECT session, contact, started_at, completed_at, completed_at IS NOT NULL AND NOT handed_off AS by_the_bot
    FROM conversations
    WHERE flow_id = ?
),

came_back AS (
    SELECT DISTINCT of_the_flow.session
    FROM of_the_flow
    INNER JOIN told AS later
        ON later.contact = of_the_flow.contact AND later.happened_at > of_the_flow.started_at
    WHERE later.type = 'session_started' AND date_diff('hour', of_the_flow.completed_at, later.happened_at) < ?
),

judged AS (
    SELECT of_the_flow.by_the_bot, of_the_flow.by_the_bot AND came_back.session IS NULL AS resolved
    FROM of_the_flow
    LEFT JOIN came_back ON came_back.session = of_the_flow.session
)

SELECT
    count(*) AS conversations,
    count_if(by_the_bot) AS completed_without_a_person,
    count_if(resolved) AS resolved,
    round(count_if(resolved) / CAST(nullif(count(*), 0) AS double), 4) AS first_contact_resolution
FROM judged
