"""Statements about tables and databases: the DDL that tables of Parquet need."""

import re
from collections.abc import Callable, Sequence

from sqlglot import exp

from local.athena.catalogue import Catalogue, Column, Table
from local.athena.errors import QueryError, not_supported
from local.athena.files import TableFiles
from local.athena.parsing import parse_hive
from local.athena.requests import Outcome, Request
from local.athena.results import ResultColumn, Row

NAME = r"(?:[`\"]?(?P<database>\w+)[`\"]?\.)?[`\"]?(?P<name>\w+)[`\"]?"


class Definitions:
    """Runs DDL statements."""

    def __init__(self, catalogue: Catalogue, files: TableFiles) -> None:
        """Take the tables and their files."""
        self._catalogue = catalogue
        self._files = files

    def run(self, request: Request) -> Outcome:
        """Run a statement. Raises QueryError."""
        rules: dict[str, Callable[[Request], Outcome]] = {
            "CREATE": self._create,
            "DROP": self._drop,
            "MSCK": self._repair,
            "SHOW": self._show,
            "DESCRIBE": self._describe,
            "DESC": self._describe,
        }
        return rules[request.sql.split(None, 1)[0].upper()](request)

    def _create(self, request: Request) -> Outcome:
        statement = parse_hive(request.sql)
        if not isinstance(statement, exp.Create):
            raise not_supported("this CREATE")
        if statement.kind in {"DATABASE", "SCHEMA"}:
            name = statement.this.name or statement.this.db
            self._catalogue.create_database(name.lower(), or_keep=bool(statement.args.get("exists")))
            return Outcome("DDL")
        properties = statement.args.get("properties")
        if statement.kind != "TABLE" or properties is None or not properties.find(exp.ExternalProperty):
            raise not_supported(f"CREATE {statement.kind}")
        location = properties.find(exp.LocationProperty)
        stored = properties.find(exp.FileFormatProperty)
        if location is None or stored is None or "PARQUET" not in stored.sql("hive").upper():
            raise not_supported("a table that is not STORED AS PARQUET at a LOCATION")
        keys = properties.find(exp.PartitionedByProperty)
        schema = statement.this
        table = Table(
            (schema.this.db or request.database).lower(),
            schema.this.name.lower(),
            _column_definitions(schema.expressions),
            _column_definitions(keys.this.expressions) if keys else [],
            location.this.name.rstrip("/") + "/",
            {p.name: p.args["value"].name for p in properties.expressions if type(p) is exp.Property},
        )
        self._catalogue.create_table(table, or_keep=bool(statement.args.get("exists")))
        return Outcome("DDL")

    def _drop(self, request: Request) -> Outcome:
        found = re.fullmatch(
            rf"\s*DROP\s+(?P<kind>TABLE|DATABASE|SCHEMA)\s+(?P<if>IF\s+EXISTS\s+)?{NAME}\s*;?\s*", request.sql, re.I
        )
        if found is None:
            raise not_supported("this DROP")
        if found["kind"].upper() == "TABLE":
            database = (found["database"] or request.database).lower()
            self._catalogue.drop_table(database, found["name"].lower(), if_exists=bool(found["if"]))
        else:
            self._catalogue.drop_database(found["name"].lower(), if_exists=bool(found["if"]))
        return Outcome("DDL")

    def _repair(self, request: Request) -> Outcome:
        found = re.fullmatch(rf"\s*MSCK\s+REPAIR\s+TABLE\s+{NAME}\s*;?\s*", request.sql, re.I)
        if found is None:
            raise QueryError("SYNTAX_ERROR", "line 1:1: MSCK REPAIR TABLE name")
        self._files.register(self._named_table(found, request))
        return Outcome("DDL")

    def _show(self, request: Request) -> Outcome:
        sql = request.sql.strip().rstrip(";").strip()
        if re.fullmatch(r"SHOW\s+(DATABASES|SCHEMAS)", sql, re.I):
            return _listing("database_name", self._catalogue.database_names())
        if found := re.fullmatch(r"SHOW\s+TABLES(?:\s+IN\s+[`\"]?(\w+)[`\"]?)?", sql, re.I):
            return _listing("tab_name", self._catalogue.table_names((found[1] or request.database).lower()))
        if found := re.fullmatch(rf"SHOW\s+PARTITIONS\s+{NAME}", sql, re.I):
            table = self._named_table(found, request)
            names = [key.name for key in table.partition_keys]
            partitions = [values for values, _place in self._catalogue.partitions(table)]
            listed = ["/".join(map("=".join, zip(names, values, strict=True))) for values in sorted(partitions)]
            return _listing("partition", listed)
        if found := re.fullmatch(rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{NAME}", sql, re.I):
            return _listing("field", [column.name for column in self._named_table(found, request).all_columns])
        raise not_supported(f"the statement {sql[:80]}")

    def _describe(self, request: Request) -> Outcome:
        found = re.fullmatch(rf"\s*DESC(?:RIBE)?\s+{NAME}\s*;?\s*", request.sql, re.I)
        if found is None:
            raise not_supported("this DESCRIBE")
        table = self._named_table(found, request)
        columns = [ResultColumn(name, "VARCHAR") for name in ("col_name", "data_type", "comment")]
        rows: list[Row] = [(column.name, column.hive_type, "") for column in table.all_columns]
        return Outcome("UTILITY", columns, rows)

    def _named_table(self, found: re.Match[str], request: Request) -> Table:
        return self._catalogue.table((found["database"] or request.database).lower(), found["name"].lower())


def _column_definitions(definitions: Sequence[exp.Expr]) -> list[Column]:
    return [Column(definition.name.lower(), definition.args["kind"].sql("hive").lower()) for definition in definitions]


def _listing(name: str, values: Sequence[str]) -> Outcome:
    return Outcome("UTILITY", [ResultColumn(name, "VARCHAR")], [(value,) for value in values])
