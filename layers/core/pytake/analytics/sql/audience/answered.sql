-- The people who gave an answer: the value of a variable that the flow marks for reporting. Letters of any case are equal.
SELECT DISTINCT contact
FROM events
WHERE organization_id = :organization_id AND dt >= :first_day AND dt <= :last_day AND type = 'reported'
    AND flow_id = :flow_id AND lower(element_at(variables, :variable)) = lower(:value)
