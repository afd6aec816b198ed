"""Athena on this machine: its API and its SQL, answered by DuckDB over the files in the emulator's S3.

A statement passes only as far as its meaning is known to stay the same; everything else fails with an error of Athena's kind.
A wrong number is worse than none (ADR 0016).
"""
