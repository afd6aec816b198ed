"""What holds for every test, and the one local cloud of a test run, started when a test first asks for it."""

import atexit
import os
import uuid
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import botocore.session
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

# How long an example takes says how busy the machine is, nothing about the code.
settings.register_profile("pytake", deadline=None)
settings.load_profile("pytake")

# A session of botocore reads its descriptions of services from files, and most tests open sessions of their own.
botocore.session.create_loader = cache(botocore.session.create_loader)

# DuckDB (nanobind) lists every object that lives at the interpreter's exit on stderr: hundreds of lines after the summary.
atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Cloud]":
    """One local cloud with the demo, for all tests of a run. A test uses phones of its own (`new_phone`)."""
    from tests.cloud.conftest import FLAGS, Cloud, free_port  # tests without a cloud need none of it

    running = Cloud.start(tmp_path_factory.mktemp("cloud"), free_port(), *FLAGS)
    yield running
    refused = running.denied_requests()
    if running.process.poll() is None:
        assert running.stop() == 0
    assert refused == [], "a role in template.yaml lacks what its function needs"


@pytest.fixture
def new_phone() -> str:
    """A Brazilian mobile number that no other test uses."""
    return f"55119{uuid.uuid4().int % 10**8:08d}"
