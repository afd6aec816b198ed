-- Delivered messages whose pricing Meta told, computed from events: one row per quarter of an hour and everything that the
-- spending report distinguishes. They add up over days.
SELECT
    date_add('minute', minute(happened_at) / 15 * 15, date_trunc('hour', happened_at)) AS slot,
    flow_id,
    country,
    template,
    campaign_id,
    pricing_category,
    charged,
    count(*) AS messages
FROM events
WHERE organization_id = :organization_id
    AND dt >= :events_from
    AND dt <= :events_to
    AND type = 'delivery'
    AND state IN ('delivered', 'read', 'played')
    AND pricing_category IS NOT NULL
GROUP BY
    date_add('minute', minute(happened_at) / 15 * 15, date_trunc('hour', happened_at)),
    flow_id, country, template, campaign_id, pricing_category, charged
