"""What the use cases need from the outside, one module per subject. `pytake.aws` and `pytake.meta` implement these ports.

Tests use in-memory fakes (`tests/fakes`). Adapters and fakes pass the same contract tests (`tests/contracts`).
"""
