"""Athena on this machine: its API and its SQL, answered by DuckDB over the files in the emulator's S3.

A statement runs only if its translation is known to keep its meaning. Every other statement fails with one of Athena's errors.
A wrong number is worse than none (ADR 0016).
"""
