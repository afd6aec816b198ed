"""Benchmarks of PyTake and of comparable engines in the same run. `make bench` runs them; RESULTS.md has the last results."""
