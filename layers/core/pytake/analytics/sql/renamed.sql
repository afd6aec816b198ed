-- The pseudonym that a person has now, for each former one in `merges`. A contact that stayed may have been merged itself later.
SELECT merges.former_contact, max(coalesce(later.contact, merges.contact)) AS contact
FROM merges
LEFT JOIN merges AS later ON later.former_contact = merges.contact
GROUP BY merges.former_contact
