"""The lake for an analyst: statements on Athena, with values bound, until they end or are cancelled.

Everything blocks while AWS answers, because boto3 does. The organization of a statement is the token's. A person with AWS
credentials can ask Athena for more than that: the check here keeps honest people from slips, AWS keeps others out.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from local.console.tables import Cell, Table
from pytake.analytics.queries import Value, bind, names, statement

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]

ORGANIZATION = "organization_id"
MOST_ROWS = 10_000
"""What a CSV holds at most: the whole result is in the work group's bucket."""

REPORTS = ("report", "heatmap", "daily_activity", "user_segments")
FIRST_QUERY = """SELECT type, count(*) AS events, count(DISTINCT contact) AS people
FROM events
WHERE organization_id = :organization_id AND dt >= :from_day AND dt <= :to_day
GROUP BY type
ORDER BY events DESC
"""

_VALUES = re.compile(r"^-- Values: ((?:[^\n]*\n--)*?[^\n]*\.)$", re.MULTILINE)
_QUESTION = re.compile(r"--[^\n]*|'(?:[^']|'')*'|\?")
_KNOWN = {"organization": ORGANIZATION, "first_day": "from_day", "last_day": "to_day", "flow": "flow_id"}
_COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
_OWN_USES = re.compile(rf":{ORGANIZATION}\b")
_OWN_ROWS = re.compile(rf"\borganization_id\"?\s*=\s*:{ORGANIZATION}\b(?!\s*(?:\|\||[-+*/%(\[.]))")
_READS = re.compile(r"\s*(\w+)")
_ALLOWED = ("select", "with", "explain", "show", "describe")
_FREE = ("show", "describe")
_NUMBER = re.compile(r"-?\d{1,18}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?")
_NUMERIC = ("tinyint", "smallint", "integer", "int", "bigint", "double", "float", "real", "decimal")


class StatementError(Exception):
    """A statement that is not sent to Athena. `key` is the text in `words`, `name` a parameter's name."""

    def __init__(self, key: str, name: str = "") -> None:
        super().__init__(f"{key} {name}".strip())
        self.key = key
        self.name = name


@dataclass(frozen=True)
class SavedQuery:
    """A statement to begin with."""

    name: str
    sql: str
    about: str = ""


@dataclass(frozen=True)
class Execution:
    """How far a statement is, in Athena's words."""

    id: str
    state: State
    reason: str = ""
    milliseconds: int = 0
    scanned: int = 0

    @property
    def ended(self) -> bool:
        """Whether nothing more happens."""
        return self.state in ("SUCCEEDED", "FAILED", "CANCELLED")


class LakeDesk:
    """Athena, in one work group and on one database."""

    def __init__(
        self, athena: "AthenaClient", work_group: str, database: str, export: Callable[[], str | None]
    ) -> None:
        """`export` lets the scheduled function write new events to the lake; it returns what went wrong."""
        self._athena = athena
        self.work_group = work_group
        self._database = database
        self.export = export

    def named_queries(self) -> list[SavedQuery]:
        """Return the work group's named queries of this database, by name."""
        found: list[SavedQuery] = []
        for page in self._athena.get_paginator("list_named_queries").paginate(WorkGroup=self.work_group):
            ids = page["NamedQueryIds"]
            for start in range(0, len(ids), 50):
                some = self._athena.batch_get_named_query(NamedQueryIds=ids[start : start + 50])["NamedQueries"]
                found += [
                    SavedQuery(one["Name"], with_names(one["QueryString"]), one.get("Description", ""))
                    for one in some
                    if one["Database"] == self._database
                ]
        return sorted(found, key=lambda one: one.name.casefold())

    def start(self, sql: str, values: Mapping[str, Value]) -> str:
        """Start a statement and return its execution's id. Raises `StatementError`, and what boto3 raises."""
        sql = _COMMENT.sub("", sql).strip().rstrip(";")
        check(sql)
        try:
            bound = bind(sql, values)
        except KeyError as error:
            raise StatementError("sql.parameter.missing", str(error.args[0])) from None
        given: dict[str, Any] = {"ExecutionParameters": bound.parameters} if bound.parameters else {}
        answer = self._athena.start_query_execution(
            QueryString=bound.sql,
            QueryExecutionContext={"Database": self._database},
            WorkGroup=self.work_group,
            **given,
        )
        return answer["QueryExecutionId"]

    def look(self, execution_id: str) -> Execution:
        """Return how far an execution is."""
        found = self._athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
        status, statistics = found["Status"], found.get("Statistics", {})
        return Execution(
            execution_id,
            status["State"],
            status.get("StateChangeReason", ""),
            statistics.get("TotalExecutionTimeInMillis", 0),
            statistics.get("DataScannedInBytes", 0),
        )

    def stop(self, execution_id: str) -> None:
        """Cancel an execution; one that ended stays as it is."""
        self._athena.stop_query_execution(QueryExecutionId=execution_id)

    def result(self, execution_id: str, most: int = MOST_ROWS) -> Table:
        """Return the first rows of an execution that succeeded."""
        headings: tuple[str, ...] = ()
        numeric: tuple[bool, ...] = ()
        rows: list[tuple[Cell, ...]] = []
        is_select = None
        for page in self._athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id):
            columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
            cells = [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in page["ResultSet"]["Rows"]]
            if is_select is None:
                headings = tuple(column["Name"] for column in columns)
                numeric = tuple(column["Type"] in _NUMERIC for column in columns)
                is_select = bool(cells) and cells[0] == headings
                cells = cells[1:] if is_select else cells
            rows += [tuple(_cell(*pair) for pair in zip(row, numeric, strict=False)) for row in cells]
            if len(rows) >= most:
                break
        return Table("query", headings, tuple(rows[:most]))


def check(sql: str) -> None:
    """Refuse what does not read, or names no organization. Raises `StatementError`."""
    sql = _COMMENT.sub("", sql)
    found = _READS.match(sql)
    word = found[1].lower() if found else ""
    if word not in _ALLOWED:
        raise StatementError("sql.only_reads")
    if word in _FREE:
        return
    # As a whole side of an equation, and nowhere else: `IN (:organization_id, 'other')` also reads another's rows.
    if ORGANIZATION not in names(sql) or len(_OWN_ROWS.findall(sql)) != len(_OWN_USES.findall(sql)):
        raise StatementError("sql.organization_missing")


def with_names(sql: str) -> str:
    """Return a statement with a name in place of each `?`: saved queries say in a comment (`Values: …`) what they are."""
    told = _VALUES.search(sql)
    listed = re.sub(r"\([^)]*\)", "", re.sub(r"\n\s*--", " ", told[1])) if told else ""
    given = [_slug(part) for part in listed.split(". ")[0].rstrip(". ").split(",")]
    count = 0

    def name(found: re.Match[str]) -> str:
        nonlocal count
        if found[0] != "?":
            return found[0]
        count += 1
        return f":{given[count - 1] if count <= len(given) and given[count - 1] else f'value_{count}'}"

    return _QUESTION.sub(name, sql)


def parameters(sql: str) -> list[str]:
    """Return the parameters of a statement that a person fills in."""
    return [name for name in names(_COMMENT.sub("", sql)) if name != ORGANIZATION]


def value_of(text: str) -> Value:
    """Return the value of a parameter's field: a number, a moment (UTC) or a text."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return int(text)
    if _MOMENT.fullmatch(text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    return text


def suggestions(flow_id: str, timezone: str, days: int, today: date) -> dict[str, str]:
    """Return values for the parameters of the reports' statements: `days` days until today, read from events alone.

    A report reads days that are settled from the table `daily`; here that part is left empty, and comes to the same.
    """
    first = today - timedelta(days=days - 1)
    return {
        "flow_id": flow_id,
        "flow_of_the_node": flow_id,
        "timezone": timezone,
        "from_day": first.isoformat(),
        "to_day": today.isoformat(),
        "begins": f"{first} 00:00:00",
        "ends": f"{today + timedelta(days=1)} 00:00:00",
        "daily_from": first.isoformat(),
        "daily_to": (first - timedelta(days=1)).isoformat(),
        "events_from": first.isoformat(),
        "events_to": (today + timedelta(days=1)).isoformat(),
    }


def report_queries() -> Iterator[SavedQuery]:
    """The statements behind the reports."""
    for name in REPORTS:
        yield SavedQuery(name, statement(name))


def bytes_read(count: int) -> str:
    """Return a number of bytes as it is read."""
    size, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def lake_of(stack: str, options: dict[str, Any]) -> LakeDesk:
    """Return the lake of a stack; `options` are those of boto3's clients. Raises `local.dead_letters.StackError`."""
    import boto3  # slow to import

    from local.dead_letters import stack_outputs

    outputs = stack_outputs(stack, options)

    def export() -> str | None:
        client = boto3.client("lambda", **options)
        answer = client.invoke(FunctionName=outputs["ScheduledFunctionName"], Payload=b'{"job": "export"}')
        return answer["Payload"].read().decode() if answer.get("FunctionError") else None

    athena = boto3.client("athena", **options)
    return LakeDesk(athena, outputs["WorkGroupName"], outputs["LakeDatabaseName"], export)


def _slug(words: str) -> str:
    name = re.sub(r"\W+", "_", re.sub(r"^\s*(the|a|an)\s+", "", words.strip())).strip("_").lower()
    return _KNOWN.get(name, name)


def _cell(text: str | None, numeric: bool) -> Cell:
    if text is None or not numeric:
        return text
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
