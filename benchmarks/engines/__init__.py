"""The reference conversation on each engine. Each module imports one engine, and gives a `Bot` (see `worker.py`)."""
