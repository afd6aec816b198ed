-- The pseudonym that a person has now, for each former one in `merges`. A contact that stayed may have been merged itself later: up to
-- eight merges one after another are followed, because Athena has no recursion.
WITH one AS (
    SELECT former_contact, max(contact) AS contact
    FROM merges
    GROUP BY former_contact
),

two AS (
    SELECT one.former_contact, coalesce(later.contact, one.contact) AS contact
    FROM one
    LEFT JOIN one AS later ON later.former_contact = one.contact
),

four AS (
    SELECT two.former_contact, coalesce(later.contact, two.contact) AS contact
    FROM two
    LEFT JOIN two AS later ON later.former_contact = two.contact
)

SELECT four.former_contact, coalesce(later.contact, four.contact) AS contact
FROM four
LEFT JOIN four AS later ON later.former_contact = four.contact
