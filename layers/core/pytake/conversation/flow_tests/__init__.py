"""Tests of flows: conversations with what is expected of them, their coverage, and recorded conversations replayed.

Nothing is stored, sent or called. `pytake flow test`, `pytake replay` and the REST API use the same code.
"""
