"""Delivery of outgoing turns: decide the next step, claim, post, settle."""
