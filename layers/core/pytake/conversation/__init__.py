"""The use cases: receive, take a turn, deliver, settle statuses, fire what is due, administer. They know ports, not AWS."""
