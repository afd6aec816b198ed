"""The product on in-memory ports, as `tests/conversation` has it."""

from tests.conversation.conftest import product

__all__ = ["product"]
