-- The number of people by the number of messages that they wrote in a flow's conversations.
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

people AS (
    SELECT coalesce(renamed.contact, conversations.contact) AS contact, sum(messages_in) AS messages
    FROM conversations
    LEFT JOIN renamed ON renamed.former_contact = conversations.contact
    GROUP BY coalesce(renamed.contact, conversations.contact)
    HAVING sum(messages_in) > 0
)

SELECT
    count_if(messages >= 20) AS power,
    count_if(messages BETWEEN 5 AND 19) AS active,
    count_if(messages < 5) AS inactive
FROM people
