-- Delivered messages of a period by month (UTC: prices change on its first day), country and category; also by flow, by template
-- and by campaign. Rows of four levels: 7 all messages, 3 a flow, 5 a template, 6 a campaign.
WITH messages AS (
SELECT slot, flow_id, country, template, campaign_id, pricing_category, charged, messages
FROM daily
WHERE organization_id = :organization_id AND dt >= :daily_from AND dt <= :daily_to AND kind = 'spending'

UNION ALL

{{event_spending}}
),

priced AS (
    SELECT date_trunc('month', slot) AS month, flow_id, country, template, campaign_id, pricing_category, charged, messages
    FROM messages
    WHERE slot >= :begins AND slot < :ends
)

SELECT
    grouping(flow_id, template, campaign_id) AS level,
    month,
    country,
    pricing_category,
    charged,
    flow_id,
    template,
    campaign_id,
    sum(messages) AS messages
FROM priced
GROUP BY GROUPING SETS (
    (month, country, pricing_category, charged),
    (month, country, pricing_category, charged, flow_id),
    (month, country, pricing_category, charged, template),
    (month, country, pricing_category, charged, campaign_id)
)
