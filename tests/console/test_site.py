"""The console's application before its pages are loaded, and who may reach it."""

from pathlib import Path

import pytest

from local.console.site import Console
from tests.local.asgi import AppClient


@pytest.fixture
def client(tmp_path: Path) -> AppClient:
    return AppClient(Console(tmp_path))


def test_until_it_is_loaded_a_page_waits_by_itself(client: AppClient) -> None:
    answer = client.get("/watch")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert 'http-equiv="refresh"' in answer.text


def test_what_is_no_page_is_not_found(client: AppClient) -> None:
    assert client.get("/_sim/nothing").status_code == 404
    assert client.get("/index.php").status_code == 404


def test_a_page_from_elsewhere_reaches_no_socket(client: AppClient) -> None:
    path = "/_nicegui_ws/socket.io/?EIO=4&transport=polling"
    assert client.get(path, headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.get(path, headers={"Origin": "http://127.0.0.1:9999"}).status_code == 403
    assert client.get(path, headers={"Origin": "http://127.0.0.1:8000"}).status_code == 503
