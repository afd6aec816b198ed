"""Campaigns: one template to the people of a segment, each at most once (ADR 32)."""
