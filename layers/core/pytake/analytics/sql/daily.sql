-- The file of an organization's day: the rows of the table `daily` (docs/lake.md). Sorted, because a sorted result is
-- written as one file and compresses best.
SELECT *
FROM (
SELECT
    'session' AS kind,
    session, slot, contact, flow_id, flow_version, started_at, last_at, completed_at, handed_off_at, expired_at, ended_at,
    failed_at, messages_in, messages_bot, messages_agent, messages_billable, step_id, node_flow_id, node_id, exit_id,
    exit_flow_id, exit_node_id, node_exit,
    CAST(NULL AS bigint) AS visits,
    CAST(NULL AS bigint) AS exits,
    CAST(NULL AS varchar) AS country,
    CAST(NULL AS varchar) AS template,
    CAST(NULL AS varchar) AS campaign_id,
    CAST(NULL AS varchar) AS pricing_category,
    CAST(NULL AS boolean) AS charged,
    CAST(NULL AS bigint) AS messages,
    CAST(NULL AS varchar) AS former_contact
FROM (
{{event_sessions}}
) AS sessions

UNION ALL

SELECT
    'step' AS kind,
    session,
    CAST(NULL AS timestamp) AS slot,
    CAST(NULL AS varchar) AS contact,
    CAST(NULL AS varchar) AS flow_id,
    CAST(NULL AS integer) AS flow_version,
    CAST(NULL AS timestamp) AS started_at,
    CAST(NULL AS timestamp) AS last_at,
    CAST(NULL AS timestamp) AS completed_at,
    CAST(NULL AS timestamp) AS handed_off_at,
    CAST(NULL AS timestamp) AS expired_at,
    CAST(NULL AS timestamp) AS ended_at,
    CAST(NULL AS timestamp) AS failed_at,
    CAST(NULL AS bigint) AS messages_in,
    CAST(NULL AS bigint) AS messages_bot,
    CAST(NULL AS bigint) AS messages_agent,
    CAST(NULL AS bigint) AS messages_billable,
    CAST(NULL AS varchar) AS step_id,
    node_flow_id,
    node_id,
    CAST(NULL AS varchar) AS exit_id,
    CAST(NULL AS varchar) AS exit_flow_id,
    CAST(NULL AS varchar) AS exit_node_id,
    node_exit,
    visits,
    exits,
    CAST(NULL AS varchar) AS country,
    CAST(NULL AS varchar) AS template,
    CAST(NULL AS varchar) AS campaign_id,
    CAST(NULL AS varchar) AS pricing_category,
    CAST(NULL AS boolean) AS charged,
    CAST(NULL AS bigint) AS messages,
    CAST(NULL AS varchar) AS former_contact
FROM (
{{event_steps}}
) AS steps

UNION ALL

SELECT
    'spending' AS kind,
    CAST(NULL AS varchar) AS session,
    slot,
    CAST(NULL AS varchar) AS contact,
    flow_id,
    CAST(NULL AS integer) AS flow_version,
    CAST(NULL AS timestamp) AS started_at,
    CAST(NULL AS timestamp) AS last_at,
    CAST(NULL AS timestamp) AS completed_at,
    CAST(NULL AS timestamp) AS handed_off_at,
    CAST(NULL AS timestamp) AS expired_at,
    CAST(NULL AS timestamp) AS ended_at,
    CAST(NULL AS timestamp) AS failed_at,
    CAST(NULL AS bigint) AS messages_in,
    CAST(NULL AS bigint) AS messages_bot,
    CAST(NULL AS bigint) AS messages_agent,
    CAST(NULL AS bigint) AS messages_billable,
    CAST(NULL AS varchar) AS step_id,
    CAST(NULL AS varchar) AS node_flow_id,
    CAST(NULL AS varchar) AS node_id,
    CAST(NULL AS varchar) AS exit_id,
    CAST(NULL AS varchar) AS exit_flow_id,
    CAST(NULL AS varchar) AS exit_node_id,
    CAST(NULL AS varchar) AS node_exit,
    CAST(NULL AS bigint) AS visits,
    CAST(NULL AS bigint) AS exits,
    country,
    template,
    campaign_id,
    pricing_category,
    charged,
    messages,
    CAST(NULL AS varchar) AS former_contact
FROM (
{{event_spending}}
) AS spending

UNION ALL

SELECT
    'merged' AS kind,
    CAST(NULL AS varchar) AS session,
    CAST(NULL AS timestamp) AS slot,
    contact,
    CAST(NULL AS varchar) AS flow_id,
    CAST(NULL AS integer) AS flow_version,
    CAST(NULL AS timestamp) AS started_at,
    CAST(NULL AS timestamp) AS last_at,
    CAST(NULL AS timestamp) AS completed_at,
    CAST(NULL AS timestamp) AS handed_off_at,
    CAST(NULL AS timestamp) AS expired_at,
    CAST(NULL AS timestamp) AS ended_at,
    CAST(NULL AS timestamp) AS failed_at,
    CAST(NULL AS bigint) AS messages_in,
    CAST(NULL AS bigint) AS messages_bot,
    CAST(NULL AS bigint) AS messages_agent,
    CAST(NULL AS bigint) AS messages_billable,
    CAST(NULL AS varchar) AS step_id,
    CAST(NULL AS varchar) AS node_flow_id,
    CAST(NULL AS varchar) AS node_id,
    CAST(NULL AS varchar) AS exit_id,
    CAST(NULL AS varchar) AS exit_flow_id,
    CAST(NULL AS varchar) AS exit_node_id,
    CAST(NULL AS varchar) AS node_exit,
    CAST(NULL AS bigint) AS visits,
    CAST(NULL AS bigint) AS exits,
    CAST(NULL AS varchar) AS country,
    CAST(NULL AS varchar) AS template,
    CAST(NULL AS varchar) AS campaign_id,
    CAST(NULL AS varchar) AS pricing_category,
    CAST(NULL AS boolean) AS charged,
    CAST(NULL AS bigint) AS messages,
    former_contact
FROM (
{{event_merges}}
) AS merges
) AS figures
ORDER BY kind, session, slot, node_flow_id, node_id, node_exit, flow_id, country, template, campaign_id, pricing_category, charged,
    contact, former_contact
