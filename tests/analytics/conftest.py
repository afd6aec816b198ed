"""A lake with the template's tables, in an embedded AWS."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.lake import LakeOnAws
from tests.local.athena.conftest import Aws, aws  # noqa: F401  a fixture


@pytest.fixture(scope="session")
def new_lake(aws: Aws) -> Callable[[], LakeOnAws]:  # noqa: F811
    """Makes an empty lake with names of its own."""

    def make() -> LakeOnAws:
        name = uuid4().hex[:8]
        client: Callable[[str], Any] = aws.client
        return LakeOnAws(client, f"lake-{name}", f"pytake_{name}", f"pytake-{name}")

    return make
