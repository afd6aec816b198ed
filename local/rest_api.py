"""What clients of the REST API share: time limits and problem details."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

ANSWER_SECONDS = 35.0
"""A little longer than the 30 seconds after which an HTTP API gives up."""


def is_local(url: str) -> bool:
    """Return whether a URL is an address of this machine. Proxies of the environment are not used for it."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the RFC 9457 problem document of a response, or an empty one if the body is not a JSON object."""
    try:
        problem = answer.json()
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}


def field_errors(problem: dict[str, Any]) -> Iterator[str]:
    """Yield one line for each entry of a problem document's `errors`."""
    for entry in problem.get("errors") or ():
        yield f"{entry.get('field', '')}: {entry.get('message', '')}"
