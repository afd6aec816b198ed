"""The lake and its queries without an AWS: Athena's SQL, translated as the local Athena does, on DuckDB in this process."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import msgspec

from local.athena.catalogue import Column
from local.athena.engine import Engine, Limits, literal
from local.athena.parsing import bind_parameters, parse_query
from local.athena.results import ResultColumn, texts
from local.athena.translation import resolve_tables, translate
from local.expanded_template import expanded
from pytake.analytics.queries import query, statement
from pytake.conversation.lake_events import COLUMNS, LakeEvent
from tests.lake import DUCKDB_TYPES
from tests.stack import TEMPLATE

_DATABASE = "lake"
_DAY = timedelta(days=1)


class LakeInProcess:
    """Implements `pytake.conversation.ports.lake.LakeQueries` over given events, and daily aggregates that it makes."""

    def __init__(self, folder: Path, events: Mapping[str, Iterable[LakeEvent]]) -> None:
        """Make a lake of each organization's events; its files are in a folder."""
        self._folder = folder
        self._engine = Engine(folder, Limits())
        self._settled_by: str | None = None
        self._shapes: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for resource in expanded(TEMPLATE)["Resources"].values():
            if resource["Type"] == "AWS::Glue::Table":
                table = resource["Properties"]["TableInput"]
                listed = [*table["StorageDescriptor"]["Columns"], *table["PartitionKeys"]]
                columns = [Column(column["Name"], column["Type"]) for column in listed]
                self._shapes[_DATABASE, table["Name"]] = [(column.name, column.duckdb_type) for column in columns]
        self._engine.make_tables(self._shapes)
        for organization_id, told in events.items():
            self._put(organization_id, told)
        self._show("events")

    def _put(self, organization_id: str, events: Iterable[LakeEvent]) -> None:
        lines, file = self._folder / "events.jsonl", self._folder / f"events-{organization_id}.parquet"
        lines.write_bytes(msgspec.json.Encoder().encode_lines(list(events)))
        types = ", ".join(
            f"{name}: '{'BIGINT' if kind == 'timestamp' else DUCKDB_TYPES[kind]}'" for name, kind in COLUMNS.items()
        )
        moments = ", ".join(f"make_timestamp_ms({c}) AS {c}" for c, kind in COLUMNS.items() if kind == "timestamp")
        self._engine.execute(
            f"COPY (SELECT * REPLACE ({moments}), {literal(organization_id)} AS organization_id, "  # noqa: S608
            f"strftime(make_timestamp_ms(happened_at), '%Y-%m-%d') AS dt "
            f"FROM read_json({literal(str(lines))}, format = 'newline_delimited', columns = {{{types}}})) "
            f"TO {literal(str(file))} (FORMAT parquet)"
        )

    def settle(self, organizations: Iterable[str], first: date, last: date) -> None:
        """Make the daily aggregates of these days; there are no others then. Made once while the statement stays the same."""
        if self._settled_by == statement("daily"):
            return
        for file in self._folder.glob("daily-*.parquet"):
            file.unlink()
        days = [first + _DAY * past for past in range((last - first).days + 1)]
        for organization_id in organizations:
            asked = query("daily", {"organization_id": organization_id, "events_from": first, "events_to": first})
            of_first = _translated(asked.sql, tuple(asked.parameters))  # translating takes longer than running it
            for day in days:
                file = self._folder / f"daily-{organization_id}-{day}.parquet"
                self._engine.execute(
                    f"COPY (SELECT *, {literal(organization_id)} AS organization_id, '{day}' AS dt "  # noqa: S608
                    f"FROM ({of_first.replace(str(first), str(day))})) TO {literal(str(file))} (FORMAT parquet)"
                )
        if self._settled_by is None:
            self._show("daily")
        self._settled_by = statement("daily")

    def rows(self, sql: str, parameters: Sequence[str], version: str) -> list[Mapping[str, str | None]]:
        del version
        cursor = self._engine.execute(_translated(sql, tuple(parameters)))
        columns = [ResultColumn(str(name), str(kind)) for name, kind, *_ in cursor.description or []]
        names = [column.name for column in columns]
        return [dict(zip(names, row, strict=True)) for row in texts(cursor.fetchall(), columns)]

    def _show(self, name: str) -> None:
        columns = ", ".join(
            f'CAST("{column}" AS {kind}) AS "{column}"' for column, kind in self._shapes[_DATABASE, name]
        )
        files = literal(str(self._folder / f"{name}-*.parquet"))
        self._engine.fill_table(_DATABASE, name, f"SELECT {columns} FROM read_parquet({files})")  # noqa: S608


@cache
def _translated(sql: str, parameters: tuple[str, ...]) -> str:
    tree = parse_query(bind_parameters(sql, parameters))
    resolve_tables(tree, _DATABASE)
    return translate(tree)
