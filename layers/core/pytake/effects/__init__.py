"""The world beyond AWS and Meta: what flows ask of other people's APIs and of language models."""
