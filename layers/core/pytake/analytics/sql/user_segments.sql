-- The number of people by the number of messages that they wrote in a flow's conversations.
WITH sessions AS (
{{sessions}}
),

conversations AS (
{{conversations}}
),

people AS (
    SELECT contact, sum(messages_in) AS messages
    FROM conversations
    GROUP BY contact
    HAVING sum(messages_in) > 0
)

SELECT
    count_if(messages >= 20) AS power,
    count_if(messages BETWEEN 5 AND 19) AS active,
    count_if(messages < 5) AS inactive
FROM people
