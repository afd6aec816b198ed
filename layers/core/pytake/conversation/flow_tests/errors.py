"""What is wrong with a test of a flow."""


class FlowTestError(Exception):
    """A test, a mock, an input or a record is invalid. The message says which, and why."""
