-- A flow's conversations, messages and durations. The median is the middle value, or the mean of the middle two; the
-- 95th percentile is the smallest duration that at least 95 % of the conversations do not exceed.
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

ranked AS (
    SELECT
        coalesce(renamed.contact, conversations.contact) AS contact,
        state,
        messages_in,
        messages_bot,
        messages_agent,
        messages_billable,
        milliseconds,
        row_number() OVER (ORDER BY milliseconds) AS place,
        count(*) OVER () AS places
    FROM conversations
    LEFT JOIN renamed ON renamed.former_contact = conversations.contact
)

SELECT
    count(*) AS total,
    count_if(state = 'completed') AS completed,
    count_if(state = 'active') AS active,
    count_if(state = 'expired') AS expired,
    count_if(state = 'handed_off') AS handed_off,
    count(DISTINCT contact) AS unique_users,
    coalesce(sum(messages_in), 0) AS from_user,
    coalesce(sum(messages_bot), 0) AS from_bot,
    coalesce(sum(messages_agent), 0) AS from_agents,
    coalesce(sum(messages_billable), 0) AS billable,
    avg(milliseconds) AS average_milliseconds,
    avg(milliseconds) FILTER (WHERE place IN ((places + 1) / 2, (places + 2) / 2)) AS median_milliseconds,
    max(milliseconds) FILTER (WHERE place = (95 * places + 99) / 100) AS p95_milliseconds,
    min(milliseconds) AS min_milliseconds,
    max(milliseconds) AS max_milliseconds
FROM ranked
