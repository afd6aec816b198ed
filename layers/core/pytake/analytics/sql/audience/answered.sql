-- The people who gave an answer: the value of a variable that the flow marks for reporting. Letters of any case are equal.
-- Values: organization, first day, last day (UTC), flow, variable, value.
SELECT DISTINCT contact
FROM events
WHERE organization_id = ? AND dt BETWEEN ? AND ? AND type = 'reported' AND flow_id = ?
    AND lower(element_at(variables, ?)) = lower(?)
