"""Sequences: follow-ups relative to a date of a contact, or to an answer that did not come."""
