"""Running one statement: queries, INSERT, CREATE TABLE AS, UNLOAD, and the DDL that tables of Parquet need."""

import re
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from local.athena.catalogue import Catalogue, Column, Table
from local.athena.definitions import Definitions
from local.athena.engine import Engine, Engines, literal, quoted
from local.athena.errors import QueryError, not_supported
from local.athena.files import TableFiles, split_uri
from local.athena.parsing import bind_parameters, parse_query, tokens_of
from local.athena.pruning import conditions
from local.athena.requests import Outcome, Request, Run, StoppedError
from local.athena.results import ResultColumn, texts
from local.athena.translation import UNNAMED, resolve_tables, translate
from local.athena.types import hive_type_of_duckdb, kind_of

_UNLOAD = re.compile(r"\s*UNLOAD\s*\((.*)\)\s*TO\s*'(s3://[^']+)'\s*WITH\s*\((.*)\)\s*;?\s*", re.I | re.S)


class Statements:
    """Runs statements."""

    def __init__(
        self, s3: Any, athena: Any, catalogue: Catalogue, engines: Engines, folder: Path, now: Callable[[], datetime]
    ) -> None:
        """Take boto3's clients, the tables, DuckDB, a folder for files, and the clock."""
        self._s3 = s3
        self._athena = athena
        self._catalogue = catalogue
        self._engines = engines
        self._folder = folder
        self._files = TableFiles(s3, catalogue, folder / "files")
        self._now = now
        self._definitions = Definitions(catalogue, self._files)

    def run(self, request: Request, run: Run) -> Outcome:
        """Run a statement.

        Raises:
            QueryError: the statement fails.
            StoppedError: the query was stopped.
        """
        request.sql = re.sub(r"^(\s+|--[^\n]*(\n|$)|/\*.*?\*/)+", "", request.sql, flags=re.S)
        words = re.findall(r"\w+|\S", request.sql.upper())
        if not words:
            raise QueryError("SYNTAX_ERROR", "line 1:1: The statement is empty")
        rule = _KINDS.get(words[0])
        if words[0] == "CREATE" and words[1:2] == ["TABLE"]:
            rule = Statements._create_table_as
        if rule is None:
            raise not_supported(f"the statement {words[0]}")
        return rule(self, request, run)

    # --- queries -------------------------------------------------------------------------------------------------------

    def _select(self, request: Request, run: Run) -> Outcome:
        statement = parse_query(bind_parameters(request.sql, request.parameters))
        if not isinstance(statement, exp.Query):
            raise not_supported("this statement")

        def fetch(engine: Engine, sql: str) -> Outcome:
            cursor = engine.execute(sql)
            columns = _columns(cursor.description or [])
            rows = cursor.fetchall()
            run.check()
            return Outcome("DML", columns, texts(rows, columns))

        return self._query(statement, request, run, fetch)

    def _query(
        self,
        statement: exp.Expr,
        request: Request,
        run: Run,
        use: Callable[[Engine, str], Outcome],
    ) -> Outcome:
        """Prepare all that a query needs and let `use` run its translation.

        Args:
            statement: the query with its parameters.
            request: the request that is run.
            run: the running query, visible to other threads.
            use: runs DuckDB's SQL.
        """
        places = resolve_tables(statement, request.database)
        tables = {place: self._catalogue.table(*place) for place in sorted(places)}
        asked = conditions(statement, tables)
        with self._engines.one() as engine:
            run.engine = engine
            try:
                run.check()
                shapes = {p: [(c.name, c.duckdb_type) for c in table.all_columns] for p, table in tables.items()}
                engine.make_tables(shapes)
                sql = translate(statement)
                for place, table in tables.items():
                    files = self._files.find(table, asked[place], self._now())
                    run.scanned += sum(file.size for file in files)
                    if request.cutoff is not None and run.scanned > request.cutoff:
                        raise StoppedError("Bytes scanned limit was exceeded")
                    run.check()
                    self._files.show(engine, table, files)
                run.check()
                return use(engine, sql)
            finally:
                run.engine = None

    # --- writing -------------------------------------------------------------------------------------------------------

    def _insert(self, request: Request, run: Run) -> Outcome:
        statement = parse_query(bind_parameters(request.sql, request.parameters))
        if not isinstance(statement, exp.Insert) or statement.args.get("overwrite"):
            raise not_supported("this INSERT")
        into, query = statement.this, statement.expression
        named = [column.name.lower() for column in into.expressions] if isinstance(into, exp.Schema) else None
        target = into.this if isinstance(into, exp.Schema) else into
        table = self._catalogue.table((target.db or request.database).lower(), target.name.lower())
        if isinstance(query, exp.Values):
            columns = ", ".join(quoted(f"c{place}") for place in range(len(query.expressions[0].expressions)))
            query = parse_query(f"SELECT * FROM ({query.sql('trino')}) AS v({columns})")  # noqa: S608  parsed again
        names = named or [column.name for column in table.all_columns]

        def write(engine: Engine, sql: str) -> Outcome:
            given = _columns(engine.execute(f"DESCRIBE {sql}").fetchall())
            wanted = {column.name: column for column in table.all_columns}
            if len(given) != len(names) or not set(names) <= set(wanted):
                raise QueryError("TYPE_MISMATCH", "Insert query has mismatched column types")
            for name, column in zip(names, given, strict=True):
                if kind_of(column.duckdb_type) not in {"null", kind_of(wanted[name].duckdb_type)}:
                    raise QueryError("TYPE_MISMATCH", f"Insert query has mismatched column types: {name}")
            listed = ", ".join(quoted(f"_{place}") for place in range(len(names)))
            values = ", ".join(
                f"CAST({quoted(f'_{names.index(c.name)}') if c.name in names else 'NULL'} AS {c.duckdb_type}) "
                f"AS {quoted(c.name)}"
                for c in table.all_columns
            )
            shaped = f"SELECT {values} FROM ({sql}) AS s({listed})"  # noqa: S608  names are quoted
            return self._write(engine, shaped, table, "DML")

        return self._query(query, request, run, write)

    def _create_table_as(self, request: Request, run: Run) -> Outcome:
        statement = parse_query(bind_parameters(request.sql, request.parameters))
        if not isinstance(statement, exp.Create) or not isinstance(statement.expression, exp.Query):
            raise not_supported("CREATE TABLE without AS SELECT, or of Iceberg")
        options = _options(statement.args.get("properties"))
        place = (statement.this.db or request.database).lower(), statement.this.name.lower()
        if place[1] in self._catalogue.table_names(place[0]):
            if statement.args.get("exists"):
                return Outcome("DDL")
            raise QueryError("TABLE_ALREADY_EXISTS", f"Table '{place[0]}.{place[1]}' already exists")
        location = options.location or f"{request.output.rsplit('/', 1)[0]}/tables/{uuid.uuid4()}/"

        def write(engine: Engine, sql: str) -> Outcome:
            table = self._described(engine, sql, place, location, options.partitioned_by)
            outcome = self._write(engine, sql, table, "DDL")
            self._catalogue.create_table(table)
            self._files.register(table)
            return outcome

        return self._query(statement.expression, request, run, write)

    def _unload(self, request: Request, run: Run) -> Outcome:
        sql = bind_parameters(request.sql, request.parameters)
        found = _UNLOAD.fullmatch(sql)
        if found is None:
            raise QueryError("SYNTAX_ERROR", "line 1:1: UNLOAD (query) TO 's3://…' WITH (…)")
        holder = parse_query(f"CREATE TABLE x WITH ({found[3]}) AS SELECT 1")
        options = _options(holder.args.get("properties"))
        location = found[2].rstrip("/") + "/"

        def write(engine: Engine, query: str) -> Outcome:
            table = self._described(engine, query, ("", ""), location, options.partitioned_by)
            return self._write(engine, query, table, "DML")

        statement = parse_query(found[1])
        if not isinstance(statement, exp.Query):
            raise QueryError("SYNTAX_ERROR", "line 1:9: not a query")
        return self._query(statement, request, run, write)

    @staticmethod
    def _described(
        engine: Engine, sql: str, place: tuple[str, str], location: str, partitioned_by: Sequence[str]
    ) -> Table:
        columns = [
            Column(column.name.lower(), hive_type_of_duckdb(column.duckdb_type))
            for column in _columns(engine.execute(f"DESCRIBE {sql}").fetchall())
        ]
        if any(re.fullmatch(r"_col\d+", column.name) for column in columns):
            raise QueryError("MISSING_COLUMN_NAME", "Column name not specified at position 1")
        names = [column.name for column in columns]
        if list(partitioned_by) != names[len(names) - len(partitioned_by) :]:
            message = "Partition keys must be the last columns in the table and in the same order"
            raise QueryError("HIVE_COLUMN_ORDER_MISMATCH", message)
        ordinary = len(columns) - len(partitioned_by)
        return Table(*place, columns[:ordinary], columns[ordinary:], location.rstrip("/") + "/")

    def _write(self, engine: Engine, sql: str, table: Table, kind: str) -> Outcome:
        """Write a query's rows as Parquet below the table's place, one file for each partition."""
        folder = self._folder / f"write-{uuid.uuid4().hex}"
        folder.mkdir()
        keys = [key.name for key in table.partition_keys]
        parts = f", PARTITION_BY ({', '.join(map(quoted, keys))})" if keys else ""
        target = folder if keys else folder / "0.parquet"
        try:
            copied = engine.execute(f"COPY ({sql}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd{parts})")
            (count,) = copied.fetchone() or (0,)
            files = []
            for path in sorted(folder.rglob("*.parquet")):
                values = [part.partition("=")[2] for part in path.relative_to(folder).parent.parts]
                files.append(self._upload(path, table, dict(zip(keys, values, strict=True))))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if keys and table.name and kind == "DML" and not table.is_projected:
            self._files.register(table)
        return Outcome(kind, [ResultColumn("rows", "BIGINT")], files=files, count=count)

    def _upload(self, path: Path, table: Table, values: dict[str, str]) -> str:
        template = table.parameters.get("storage.location.template")
        place = template or table.location + "/".join(f"{key}={value}" for key, value in values.items())
        for key, value in values.items():
            place = place.replace(f"${{{key}}}", value)
        uri = f"{place.rstrip('/')}/{uuid.uuid4().hex}.zstd.parquet"
        bucket, key = split_uri(uri)
        self._s3.upload_file(str(path), bucket, key)
        return uri

    def _define(self, request: Request, _run: Run) -> Outcome:
        return self._definitions.run(request)

    # --- prepared statements -------------------------------------------------------------------------------------------

    def _prepare(self, request: Request, _run: Run) -> Outcome:
        found = re.fullmatch(r"\s*PREPARE\s+(\w+)\s+FROM\s+(.*?);?\s*", request.sql, re.I | re.S)
        if found is None:
            raise QueryError("SYNTAX_ERROR", "line 1:1: PREPARE name FROM statement")
        if not re.match("UNLOAD", found[2], re.I):
            parse_query(found[2])
        self._deallocate_named(found[1], request)
        self._athena.create_prepared_statement(
            StatementName=found[1], WorkGroup=request.work_group, QueryStatement=found[2]
        )
        return Outcome("DDL")

    def _deallocate(self, request: Request, _run: Run) -> Outcome:
        found = re.fullmatch(r"\s*DEALLOCATE\s+PREPARE\s+(\w+)\s*;?\s*", request.sql, re.I)
        if found is None:
            raise QueryError("SYNTAX_ERROR", "line 1:1: DEALLOCATE PREPARE name")
        if not self._deallocate_named(found[1], request):
            raise QueryError("NOT_FOUND", f"PreparedStatement {found[1]} was not found")
        return Outcome("DDL")

    def _deallocate_named(self, name: str, request: Request) -> bool:
        try:
            self._athena.delete_prepared_statement(StatementName=name, WorkGroup=request.work_group)
        except self._athena.exceptions.ResourceNotFoundException:
            return False
        return True

    def _execute(self, request: Request, run: Run) -> Outcome:
        found = re.match(r"\s*EXECUTE\s+(\w+)\s*(?:USING\b(.*))?$", request.sql.rstrip().rstrip(";"), re.I | re.S)
        if found is None:
            raise QueryError("SYNTAX_ERROR", "line 1:1: EXECUTE name USING values")
        try:
            prepared = self._athena.get_prepared_statement(StatementName=found[1], WorkGroup=request.work_group)
        except self._athena.exceptions.ResourceNotFoundException as problem:
            raise QueryError("NOT_FOUND", f"PreparedStatement {found[1]} was not found") from problem
        request.sql = prepared["PreparedStatement"]["QueryStatement"]
        request.parameters = _listed(found[2]) if found[2] else request.parameters
        if re.match(r"\s*EXECUTE\b", request.sql, re.I):
            raise QueryError("SYNTAX_ERROR", "line 1:1: A prepared statement cannot execute another")
        return self.run(request, run)


_KINDS: dict[str, Callable[[Statements, Request, Run], Outcome]] = {
    **dict.fromkeys(("SELECT", "WITH", "("), Statements._select),
    "INSERT": Statements._insert,
    "UNLOAD": Statements._unload,
    "PREPARE": Statements._prepare,
    "EXECUTE": Statements._execute,
    "DEALLOCATE": Statements._deallocate,
    **dict.fromkeys(("CREATE", "DROP", "MSCK", "SHOW", "DESCRIBE", "DESC"), Statements._define),
}


@dataclass(frozen=True)
class _Options:
    """What WITH (…) of CREATE TABLE AS and UNLOAD says."""

    location: str | None = None
    partitioned_by: tuple[str, ...] = ()


def _options(properties: exp.Expr | None) -> _Options:
    location, keys = None, ()
    for given in properties.expressions if properties else []:
        if isinstance(given, exp.FileFormatProperty):
            name, value = "format", given.this.name.upper()
        elif isinstance(given, exp.PartitionedByProperty):
            keys = tuple(item.name.lower() for item in given.this.expressions)
            continue
        elif isinstance(given, exp.LocationProperty):
            name, value = "location", given.this.name
        else:
            name, value = given.name.lower(), given.args["value"].name
        if name in {"external_location", "location"}:
            location = value
        elif name == "format" and value.upper() == "PARQUET":
            pass
        elif name in {"write_compression", "parquet_compression", "compression"} and value.upper() in {
            "ZSTD",
            "SNAPPY",
            "GZIP",
        }:
            pass  # the compression changes no answer; here it is always zstd
        elif name == "compression_level":
            pass
        else:
            raise not_supported(f"the table property {name} = {value}")
    return _Options(location, keys)


def _columns(description: Sequence[Sequence[Any]]) -> list[ResultColumn]:
    """Result columns from a cursor's description or DESCRIBE's rows; those without a name get Athena's."""
    return [
        ResultColumn(f"_col{place}" if str(found[0]).startswith(UNNAMED) else str(found[0]), str(found[1]))
        for place, found in enumerate(description)
    ]


def _listed(text: str) -> list[str]:
    """The values of USING, cut at the commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for token in tokens_of(text):
        depth += (token.token_type in {TokenType.L_PAREN, TokenType.L_BRACKET}) - (
            token.token_type in {TokenType.R_PAREN, TokenType.R_BRACKET}
        )
        if token.token_type is TokenType.COMMA and depth == 0:
            parts.append(text[start : token.start].strip())
            start = token.end + 1
    return [*parts, text[start:].strip()]
