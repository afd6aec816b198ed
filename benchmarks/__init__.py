"""What PyTake measures of itself, and of others in the same run. `make bench` runs it; RESULTS.md holds the last run."""
