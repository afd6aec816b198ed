"""When the service behind the endpoint is opened."""

from threading import Event
from typing import Any

from local.athena.endpoint import AthenaEndpoint


class Service:
    def __init__(self) -> None:
        self.closed = False

    def answer(self, _operation: str, _call: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {}

    def close(self) -> None:
        self.closed = True


async def app(*_: Any) -> None:
    raise NotImplementedError


def test_the_service_is_opened_ahead_and_only_once() -> None:
    opened, made = Event(), list[Service]()

    def open_service() -> Service:
        made.append(Service())
        opened.set()
        return made[-1]

    endpoint = AthenaEndpoint(app, open_service, ahead_seconds=0)
    assert opened.wait(10)
    assert endpoint._answer("GetQueryExecution", b"{}") == (200, {})
    endpoint.close()
    assert [service.closed for service in made] == [True]


def test_one_that_ends_opens_nothing_any_more() -> None:
    def open_service() -> Service:
        raise AssertionError

    endpoint = AthenaEndpoint(app, open_service, ahead_seconds=3600)
    endpoint.close()
    assert endpoint._answer("GetQueryExecution", b"{}")[0] == 503
