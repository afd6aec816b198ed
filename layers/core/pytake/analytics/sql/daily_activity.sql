-- A flow's conversations by the day they began, and their messages and the people who wrote by the day of the message.
WITH sessions AS (
{{sessions}}
),

conversations AS (
{{conversations}}
),

merges AS (
{{merges}}
),

renamed AS (
{{renamed}}
),

slots AS (
    SELECT
        CAST(at_timezone(with_timezone(sessions.slot, 'UTC'), $timezone) AS date) AS day,
        sessions.started_at,
        coalesce(renamed.contact, sessions.contact) AS contact,
        sessions.messages_in,
        sessions.messages_in + sessions.messages_bot + sessions.messages_agent AS messages
    FROM sessions
    INNER JOIN conversations ON conversations.session = sessions.session
    LEFT JOIN renamed ON renamed.former_contact = sessions.contact
)

SELECT
    day,
    count(started_at) AS conversations,
    sum(messages) AS messages,
    count(DISTINCT CASE WHEN messages_in > 0 THEN contact END) AS unique_users
FROM slots
GROUP BY day
ORDER BY day
