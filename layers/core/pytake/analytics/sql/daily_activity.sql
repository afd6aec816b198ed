-- A flow's conversations by the day they began, and their messages and the people who wrote by the day of the message.
WITH days AS (
{{days}}
),

conversations AS (
{{conversations}}
),

slots AS (
    SELECT
        CAST(at_timezone(with_timezone(days.slot, 'UTC'), :timezone) AS date) AS day,
        days.started_at,
        days.contact,
        days.messages_in,
        days.messages_in + days.messages_bot + days.messages_agent AS messages
    FROM days
    INNER JOIN conversations ON conversations.session = days.session
    WHERE days.kind = 'session'
)

SELECT
    day,
    count(started_at) AS conversations,
    sum(messages) AS messages,
    count(DISTINCT CASE WHEN messages_in > 0 THEN contact END) AS unique_users
FROM slots
GROUP BY day
ORDER BY day
