"""Reports over the lake, and the daily aggregates they read. Every statement is a file in `sql/`."""
