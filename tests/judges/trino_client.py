"""Asks a Trino over its REST protocol, and writes values as Athena writes them in a result."""

import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import httpx

CONNECT_SECONDS = 120


class TrinoError(Exception):
    """A statement failed; `name` is Trino's name of the error."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class Answer(NamedTuple):
    """The columns of an answer with their types, and its rows as texts; None is NULL."""

    columns: list[str]
    types: list[str]
    rows: list[tuple[str | None, ...]]


class Trino:
    """A Trino at an address, used with the catalog `hive` and the schema `lake`."""

    def __init__(self, url: str) -> None:
        """Wait until it answers; it listens before its catalog is there."""
        self._client = httpx.Client(base_url=url, timeout=300, trust_env=False)
        self._headers = {"X-Trino-User": "judge", "X-Trino-Catalog": "hive", "X-Trino-Schema": "lake"}
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                self.ask("CREATE SCHEMA IF NOT EXISTS hive.lake WITH (location = 'local:///managed')")
                return
            except (TrinoError, httpx.HTTPError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def execute(self, sql: str, parameters: Sequence[str]) -> Answer:
        """Ask a statement with question marks, whose values are literals. Raises `TrinoError`."""
        using = f" USING {', '.join(parameters)}" if parameters else ""
        return self.ask(f"EXECUTE IMMEDIATE {quoted(sql)}{using}")

    def ask(self, sql: str) -> Answer:
        """Ask a statement. Raises `TrinoError`."""
        page = self._client.post("/v1/statement", content=sql.encode(), headers=self._headers).raise_for_status().json()
        columns: list[dict[str, Any]] = []
        rows: list[list[Any]] = []
        while True:
            if "error" in page:
                raise TrinoError(page["error"]["errorName"], page["error"]["message"])
            columns = page.get("columns") or columns
            rows += page.get("data") or []
            if "nextUri" not in page:
                break
            page = self._client.get(page["nextUri"], headers=self._headers).raise_for_status().json()
        types = [column["type"] for column in columns]
        texts = [tuple(text(value, kind) for value, kind in zip(row, types, strict=True)) for row in rows]
        return Answer([column["name"] for column in columns], types, texts)


def quoted(value: str) -> str:
    """Return a text as a literal."""
    return "'" + value.replace("'", "''") + "'"


def text(value: Any, kind: str) -> str | None:
    """Return a value of this type as Athena writes it."""
    if value is None:
        return None
    if kind == "boolean":
        return "true" if value else "false"
    if kind in ("double", "real"):
        return _double(float(value))
    if kind.startswith("array("):
        return "[" + ", ".join(_inner(item, kind[6:-1]) for item in value) + "]"
    if kind.startswith("map("):
        keys, values = kind[4:-1].split(", ", 1)
        return "{" + ", ".join(f"{text(key, keys)}={_inner(item, values)}" for key, item in value.items()) + "}"
    return str(value)


def _inner(value: Any, kind: str) -> str:
    shown = text(value, kind)
    return "null" if shown is None else shown


def _double(number: float) -> str:
    """As Java writes a double."""
    if number != number:
        return "NaN"
    if number in (float("inf"), float("-inf")):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    shown = "".join(map(str, digits))
    return f"{'-' * sign}{shown[0]}.{shown[1:] or '0'}E{int(exponent) + len(shown) - 1}"
