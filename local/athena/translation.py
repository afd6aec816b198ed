"""From Athena's SQL to DuckDB's: only what the lists name is translated, everything else is refused before it runs.

Functions, operators and casts become the typed macros of `functions.sql`; DuckDB's binder checks the types.
"""

from collections.abc import Iterator

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.generators.duckdb import DuckDBGenerator

from local.athena import functions
from local.athena.errors import QueryError, not_supported
from local.athena.functions import text
from local.athena.lifting import lift, within
from local.athena.rewriting import ARITHMETIC, COMPARISONS, rewrite

E = exp.Expr

UNNAMED = "_col?"
"""Begins the name of a result column that has none; Athena then calls it `_col` and its place."""

UNDERSTOOD = (
    *COMPARISONS, *ARITHMETIC, exp.Div, exp.Select, exp.Subquery, exp.Union, exp.Intersect, exp.Except, exp.With, exp.CTE,
    exp.From, exp.Join, exp.Table, exp.TableAlias, exp.Where, exp.Group, exp.GroupingSets, exp.Rollup, exp.Cube,
    exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Fetch, exp.Distinct, exp.Values, exp.Tuple,
    exp.Unnest, exp.Column, exp.Identifier, exp.Star, exp.Alias, exp.Literal, exp.Boolean, exp.Null, exp.Paren,
    exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like, exp.Escape, exp.Exists, exp.Case, exp.If,
    exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Neg, exp.DPipe, exp.Anonymous, exp.Lambda, exp.Array,
    exp.Bracket, exp.Interval, exp.Var, exp.Extract, exp.Trim, exp.Substring, exp.StrPosition, exp.GroupConcat,
    exp.AtTimeZone, exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp, exp.Window, exp.WindowSpec, exp.Filter,
    exp.IgnoreNulls,
)  # fmt: skip
"""The constructs that are supported."""

KNOWN_PARTS: dict[type[E], set[str]] = {
    exp.Select: {"with_", "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "distinct"},
    exp.Join: {"this", "side", "kind", "on", "using"},
    exp.Table: {"this", "db", "catalog", "alias", "joins"},
    exp.Star: set(),
    exp.With: {"expressions"},
    exp.CTE: {"this", "alias"},
    exp.Group: {"expressions", "grouping_sets", "rollup", "cube"},
    exp.Unnest: {"expressions", "alias", "offset"},
    exp.Distinct: {"expressions"},
    exp.Cast: {"this", "to"},
    exp.TryCast: {"this", "to", "safe"},
    exp.Window: {"this", "partition_by", "order", "spec", "over"},
}  # fmt: skip
"""What these may consist of."""


class _PlainDuckDB(DuckDB):
    """DuckDB's grammar, written without knowledge of functions."""

    class Generator(DuckDBGenerator):
        """Writes IGNORE NULLS where the tree has it, for every function."""

        def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
            """Write it."""
            return f"{self.sql(expression, 'this')} IGNORE NULLS"


def translate(statement: E) -> str:
    """Return a query as DuckDB's SQL.

    Args:
        statement: the query, with every table's database (`resolve_tables`); it is changed.

    Raises:
        QueryError: something in it is wrong, or not supported.
    """
    refuse_the_unknown(statement)
    replace_ordinals(statement)
    name_result_columns(statement)
    holder = exp.Paren(this=statement)  # so that every node has a parent to be replaced in
    for select in reversed(list(holder.find_all(exp.Select))):
        made = lift(select)
        if made is not select:
            select.replace(made)
        else:
            _resolve_aliases(select)
    try:
        rewrite(holder)
        for literal in list(holder.find_all(exp.Literal)):
            if (
                literal.is_string
                and not literal.meta.get("plain")
                and not isinstance(literal.parent, exp.Interval | exp.Escape)
            ):
                # DuckDB takes a bare literal for a value of any type.
                literal.replace(exp.Cast(this=text(literal.name), to=exp.DataType(this=exp.DType.VARCHAR)))
        sql: str = holder.this.sql(
            _PlainDuckDB, copy=False, identify=True, normalize_functions=False, unsupported_level=ErrorLevel.RAISE
        )
    except SqlglotError as problem:
        raise not_supported(str(problem).splitlines()[0]) from problem
    return sql


def refuse_the_unknown(statement: E) -> None:
    """Check every part against the lists.

    Raises:
        QueryError: NOT_SUPPORTED.
    """
    for node in statement.walk():
        if not isinstance(node, UNDERSTOOD):
            raise not_supported(_described(node))
        known = KNOWN_PARTS.get(type(node))
        if known is not None:
            for part, value in node.args.items():
                if value and part not in known:
                    raise not_supported(f"{part.strip('_').upper()} in {type(node).__name__.upper()}")
        if reason := _refused(node):
            raise reason


def _refused(node: E) -> QueryError | None:
    if isinstance(node, exp.Join) and (node.method or node.kind not in {"", "INNER", "CROSS", "OUTER"}):
        return not_supported(f"a {node.method} {node.kind} join")
    if isinstance(node, exp.With) and node.recursive:
        return not_supported("WITH RECURSIVE")
    if isinstance(node, exp.Distinct) and len(node.expressions) > 1:
        return functions.wrong_arguments("count")
    if isinstance(node, exp.Unnest):
        named = isinstance(node.parent, exp.From | exp.Join) and node.args.get("alias") and node.args["alias"].columns
        return (
            None if named and len(node.expressions) == 1 else not_supported("UNNEST of several lists, or without names")
        )
    if isinstance(node, exp.Anonymous) and str(node.this).lower() not in functions.supported():
        return not_supported(f"the function {str(node.this).lower()}")
    if isinstance(node, exp.Tuple) and not isinstance(
        node.parent, exp.Values | exp.GroupingSets | exp.Rollup | exp.Cube | exp.Group
    ):
        return not_supported(f"the row {node.sql('trino')[:80]}")
    if isinstance(node, exp.Is) and not isinstance(node.expression, exp.Null):
        return not_supported(_described(node))
    if isinstance(node, exp.Between) and node.args.get("symmetric"):
        return not_supported("BETWEEN SYMMETRIC")
    if isinstance(node, exp.In) and (node.args.get("unnest") or node.args.get("field")):
        return not_supported(_described(node))
    if isinstance(node, exp.Literal) and node.is_int and abs(int(node.name)) > 2**63 - 1:
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", f"Invalid numeric literal: {node.name}")
    if isinstance(node, exp.CurrentTimestamp | exp.Localtimestamp) and node.this:
        return not_supported(_described(node))
    return None


def _described(node: E) -> str:
    return f"{type(node).__name__} ({node.sql('trino')[:80]})"


def replace_ordinals(statement: E) -> None:
    """Replace the numbers in GROUP BY 1, 2 by their expressions."""
    for select in statement.find_all(exp.Select):
        group = select.args.get("group")
        for element in group.expressions if group else []:
            if isinstance(element, exp.Literal) and element.is_int:
                place = int(element.name) - 1
                if not 0 <= place < len(select.expressions) or select.is_star:
                    raise QueryError(
                        "INVALID_COLUMN_REFERENCE", f"GROUP BY position {element.name} is not in select list"
                    )
                element.replace(select.expressions[place].unalias().copy())


def name_result_columns(statement: E) -> None:
    """Mark the result columns without a name, so that DuckDB does not name them."""
    first = statement
    while not isinstance(first, exp.Select):
        if not isinstance(first, exp.SetOperation | exp.Subquery):
            raise not_supported(_described(first))
        first = first.this
    for place, column in enumerate(first.expressions):
        if not isinstance(column, exp.Alias | exp.Column | exp.Star):
            column.replace(exp.alias_(column.copy(), f"{UNNAMED}{place}", quoted=True))


def resolve_tables(statement: E, database: str) -> set[tuple[str, str]]:
    """Give every table its database, and return which tables the statement reads.

    Raises:
        QueryError: a catalog other than Athena's own.
    """
    read: set[tuple[str, str]] = set()
    for table in list(statement.find_all(exp.Table)):
        if not isinstance(table.this, exp.Identifier):
            raise not_supported(f"the table function {table.sql('trino')[:80]}")
        if not table.db and table.name.lower() in _visible_ctes(table):
            continue
        if table.catalog and table.catalog.lower() != "awsdatacatalog":
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{table.catalog}' not found")
        place = (table.db or database).lower(), table.name.lower()
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
        table.set("catalog", None)
        table.set("db", exp.to_identifier(place[0], quoted=True))
        table.set("this", exp.to_identifier(place[1], quoted=True))
        read.add(place)
    return read


def _visible_ctes(node: E) -> set[str]:
    names: set[str] = set()
    for ancestor in _ancestors(node):
        clause = ancestor.args.get("with_")
        if clause is not None:
            names |= {str(cte.alias).lower() for cte in clause.expressions}
    return names


def _ancestors(node: E) -> Iterator[E]:
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


# --- names -------------------------------------------------------------------------------------------------------------


def _resolve_aliases(select: exp.Select) -> None:
    """Let a name mean what it means in Trino: a column, and in ORDER BY first an alias. DuckDB sees aliases everywhere."""
    aliases = {item.alias.lower(): item.this for item in select.expressions if isinstance(item, exp.Alias)}
    source = select.args.get("from_")
    if not aliases or source is None:
        return

    def meant(clause: E | None) -> list[exp.Column]:
        columns = [node for node in within(clause) if isinstance(node, exp.Column)] if clause is not None else []
        return [column for column in columns if not column.table and column.name.lower() in aliases]

    for ordered in select.args["order"].expressions if select.args.get("order") else []:
        for column in meant(ordered):
            if column.parent is not ordered:
                column.replace(exp.Paren(this=aliases[column.name.lower()].copy()))
    if select.args.get("joins"):
        return
    if not source.this.alias_or_name:
        source.this.set("alias", exp.TableAlias(this=exp.to_identifier("_source", quoted=True)))
    for clause in [*select.expressions, select.args.get("where")]:
        for column in meant(clause):
            column.set("table", exp.to_identifier(source.this.alias_or_name, quoted=True))
