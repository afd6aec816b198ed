"""Contacts: what an organization knows about a person, and what the person consents to (ADR 24)."""
