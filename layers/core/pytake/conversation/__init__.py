"""The use cases: receive, take a turn, deliver, settle receipts, fire what is due, administer. They know ports, not AWS."""
