"""Reports over the lake, and the daily figures they read. Every statement is a file in `sql/`."""
