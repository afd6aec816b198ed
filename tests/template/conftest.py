"""The fixtures of the template's tests."""

from typing import Any

import pytest

from local.expanded_template import expanded
from tests.stack import TEMPLATE, Stack, translated


@pytest.fixture(scope="session")
def source() -> dict[str, Any]:
    """template.yaml with its loops expanded, before SAM's translation."""
    return expanded(TEMPLATE)


@pytest.fixture(scope="session")
def stack() -> Stack:
    """template.yaml, translated."""
    return translated()
