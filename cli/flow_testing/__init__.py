"""Tests of flows without a cloud: test files beside a flow, coverage, generated and fuzzed conversations.

Not part of the Lambda layer.
"""
