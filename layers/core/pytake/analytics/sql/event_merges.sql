-- Contacts that were merged into another one: the pseudonym that each had, and that of the contact that stays.
SELECT DISTINCT code AS former_contact, contact
FROM events
WHERE organization_id = :organization_id
    AND dt >= :events_from
    AND dt <= :events_to
    AND type = 'merged'
