"""A fake REST API with prepared answers that records its requests."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from cli.api_client import ApiClient

Answers = dict[tuple[str, str], tuple[int, Any]]


class Api:
    """Answers by method and path; everything else is 404."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[tuple[str, str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.path, body))
        status, answer = self.answers.get((request.method, request.url.path), (404, {"code": "route_unknown"}))
        return httpx.Response(status, json=answer)

    def client(self) -> ApiClient:
        return ApiClient("http://127.0.0.1:8000", "token", httpx.MockTransport(self))


@pytest.fixture
def api() -> Callable[[Answers], Api]:
    return Api
