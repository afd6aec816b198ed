"""A release reads what the release before it stored and queued, and the other way round (CONTRIBUTING.md, "Stored data")."""
