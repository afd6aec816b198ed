"""The effects of flows outside of AWS and Meta: calls of external APIs and of language models."""
