"""From Athena's SQL to DuckDB's.

Only what stands in the lists here and in `functions` passes; everything else is refused before it runs. Where the
meaning depends on types (1 / 2, a date plus a day, sum of integers) DuckDB is asked for them: it binds the arguments
over empty tables, innermost first (`Engine.argument_types`).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, SqlglotError
from sqlglot.generators.duckdb import DuckDBGenerator

from local.athena import functions
from local.athena.casts import cast
from local.athena.engine import PROBE, PROBE_FILLERS
from local.athena.errors import QueryError, not_supported
from local.athena.functions import Aggregate, Call, call
from local.athena.types import INTEGERS, NULL, TIMES, kind_of

E = exp.Expr
TypesOf = Callable[[str], list[str]]
StandIns = dict[int, tuple[E, E]]
"""By the identity of a query that has been rewritten: itself, and what stands for it where only its columns matter."""

UNNAMED = "_col?"
"""Begins the name of a result column that has none; Athena then calls it `_col` and its place."""

COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)

UNDERSTOOD = (
    *COMPARISONS, *ARITHMETIC, exp.Select, exp.Subquery, exp.Union, exp.Intersect, exp.Except, exp.With, exp.CTE,
    exp.From, exp.Join, exp.Table, exp.TableAlias, exp.Where, exp.Group, exp.GroupingSets, exp.Rollup, exp.Cube,
    exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Fetch, exp.Distinct, exp.Values, exp.Tuple,
    exp.Unnest, exp.Column, exp.Identifier, exp.Star, exp.Alias, exp.Literal, exp.Boolean, exp.Null, exp.Paren,
    exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like, exp.Escape, exp.Exists, exp.Case, exp.If,
    exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Neg, exp.DPipe, exp.Anonymous, exp.Lambda, exp.Array,
    exp.Bracket, exp.Dot, exp.Interval, exp.Var, exp.Extract, exp.Trim, exp.Substring, exp.StrPosition,
    exp.GroupConcat, exp.Ceil, exp.Floor, exp.AtTimeZone, exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp,
    exp.Window, exp.WindowSpec, exp.Filter, exp.IgnoreNulls, exp.ColumnDef, exp.Concat,
)  # fmt: skip
"""The parts of a statement that mean the same when DuckDB writes them, or that are rewritten below."""

KNOWN_PARTS: dict[type[E], set[str]] = {
    exp.Select: {"with_", "expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset",
                 "distinct", "kind"},
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
}  # fmt: skip
"""What these may consist of; anything more has no rule."""

SELECT_ORDER = ("with_", "from_", "joins", "where", "group", "expressions", "having", "order")
"""The clauses in the order in which their types depend on each other."""

EXTRACTABLE = {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DAY_OF_MONTH", "DAY_OF_WEEK", "DOW", "DAY_OF_YEAR", "DOY",
               "HOUR", "MINUTE", "SECOND", "YEAR_OF_WEEK", "YOW"}  # fmt: skip


class _PlainDuckDB(DuckDB):
    """DuckDB's grammar, written without knowledge of functions."""

    class Generator(DuckDBGenerator):
        """Writes IGNORE NULLS where it stands in the tree, whatever function that is."""

        def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
            """Write it."""
            return f"{self.sql(expression, 'this')} IGNORE NULLS"


def translate(statement: E, types_of: TypesOf) -> str:
    """Return a query as DuckDB's SQL.

    Args:
        statement: the query, with every table's database (`resolve_tables`); it is changed.
        types_of: tells the types of the arguments of the probe in a statement of DuckDB's.

    Raises:
        QueryError: something in it is wrong, or is not known to mean the same in DuckDB.
    """
    as_operators(statement)
    refuse_the_unknown(statement)
    replace_ordinals(statement)
    name_result_columns(statement)
    holder = exp.Paren(this=statement)  # so that every node has a parent to be replaced in
    _Rewriting(types_of).visit(statement)
    return to_sql(holder.this)


def to_sql(tree: E) -> str:
    """Return a tree as DuckDB's SQL.

    Raises:
        QueryError: sqlglot knows that DuckDB has no such thing.
    """
    try:
        return tree.sql(_PlainDuckDB, identify=True, unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as problem:
        raise not_supported(str(problem).splitlines()[0]) from problem


def refuse_the_unknown(statement: E) -> None:
    """Check every part against the lists.

    Raises:
        QueryError: NOT_SUPPORTED or FUNCTION_NOT_FOUND.
    """
    for node in statement.walk():
        if not isinstance(node, UNDERSTOOD):
            raise not_supported(_described(node))
        known = KNOWN_PARTS.get(type(node))
        if known is not None:
            for part, value in node.args.items():
                if value and part not in known:
                    raise not_supported(f"{part.strip('_').upper()} in {type(node).__name__.upper()}")
        if isinstance(node, exp.Join) and (node.method or node.kind not in {"", "INNER", "CROSS", "OUTER"}):
            raise not_supported(f"a {node.method} {node.kind} join")
        if isinstance(node, exp.With) and node.recursive:
            raise not_supported("WITH RECURSIVE")
        if isinstance(node, exp.Distinct) and len(node.expressions) > 1:
            raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters: {node.sql('trino')[:80]}")
        if isinstance(node, exp.Unnest) and len(node.expressions) != 1:
            raise not_supported("UNNEST of several lists")
        if isinstance(node, exp.Anonymous) and str(node.this).lower() not in functions.FUNCTIONS:
            raise QueryError("FUNCTION_NOT_FOUND", f"Function '{str(node.this).lower()}' not registered, "
                             "or not translated by the local Athena")  # fmt: skip


def _described(node: E) -> str:
    return f"{type(node).__name__} ({node.sql('trino')[:80]})"


def as_operators(statement: E) -> None:
    """Write functions that are another spelling of an operator as the operator: `at_timezone`, whose zone may be a parameter."""
    for node in list(statement.find_all(exp.Anonymous)):
        if str(node.this).lower() == "at_timezone" and len(node.expressions) == 2:
            moment, zone = node.expressions
            node.replace(exp.AtTimeZone(this=moment.copy(), zone=zone.copy()))


def replace_ordinals(statement: E) -> None:
    """Put expressions in the place of the numbers in GROUP BY 1, 2."""
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
    """Mark the result columns that have no name, so that DuckDB gives them none of its own."""
    first = statement
    while not isinstance(first, exp.Select):
        if not isinstance(first, exp.SetOperation | exp.Subquery):
            raise not_supported(_described(first))
        first = first.this
    for place, column in enumerate(first.expressions):
        if not isinstance(column, exp.Alias | exp.Column | exp.Star | exp.Dot):
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


class _Rewriting:
    def __init__(self, types_of: TypesOf) -> None:
        self._types_of = types_of
        self._stand_ins: StandIns = {}

    def visit(self, node: E) -> None:
        """Rewrite what is below, then the node itself."""
        self._visit(node)
        if isinstance(node, exp.CTE | exp.Subquery) and (stand_in := self._stand_in(node)) is not None:
            self._stand_ins[id(node)] = node, stand_in

    def _stand_in(self, node: E) -> E | None:
        """Nothing with the columns of a query that has been rewritten; None where its columns are not all named.

        Types of what reads the query can then be asked for without it: probes stay short.
        """
        first = node.this
        while isinstance(first, exp.SetOperation | exp.Subquery):
            first = first.this
        names = [column.alias_or_name for column in first.expressions] if isinstance(first, exp.Select) else []
        read = isinstance(node, exp.CTE) or isinstance(node.parent, exp.From | exp.Join)
        alias = node.args.get("alias")
        if not names or not all(names) or "*" in names or len(set(names)) < len(names) or not read or alias is None:
            return None
        if alias.columns:
            return None
        inside = exp.Subquery(this=node.this.copy(), alias=exp.TableAlias(this=exp.to_identifier("stood_in_for")))
        asked = exp.Select(
            expressions=[call(PROBE, *(exp.column(name, quoted=True) for name in names), *_fillers())]
        ).from_(inside)
        if ctes := _named(_ctes_around(node, self._stand_ins), asked):
            asked.set("with_", exp.With(expressions=ctes))
        kinds = self._types_of(to_sql(asked))
        columns = [
            exp.alias_(
                exp.Null() if kind == NULL else exp.Cast(this=exp.Null(), to=_data_type(kind)), name, quoted=True
            )
            for name, kind in zip(names, kinds, strict=True)
        ]
        made = node.copy() if node.args.get("with_") is None else type(node)(alias=alias.copy())
        made.set("this", exp.Select(expressions=columns))
        return made

    def _visit(self, node: E) -> None:
        keys = list(node.args)
        if isinstance(node, exp.Select):
            keys = [*SELECT_ORDER, *(key for key in keys if key not in SELECT_ORDER)]
        for key in keys:
            value = node.args.get(key)
            for child in list(value) if isinstance(value, list) else [value]:
                if isinstance(child, exp.Expr) and not isinstance(child, exp.DataType):
                    self.visit(child)
        rewrite = next((rule for kind, rule in _RULES.items() if isinstance(node, kind)), None)
        if rewrite is None:
            return
        made = rewrite(self, node)
        if made is not node:
            node.replace(made)

    def types(self, place: E, expressions: Sequence[E], *, grouped: bool = True) -> list[str]:
        """Return DuckDB's types of translated expressions at a place of the statement.

        Args:
            place: where they stand.
            expressions: whose types are asked for.
            grouped: whether they see the groups of GROUP BY, or the rows.
        """
        known = [_literal_type(expression) for expression in expressions]
        if None not in known:
            return [kind for kind in known if kind]
        bare = [_without_modifiers(expression).copy() for expression in expressions]
        probe = call(PROBE, *bare, *_fillers())
        return self._types_of(to_sql(_probe(place, probe, self._stand_ins, grouped=grouped)))

    # --- calls ---------------------------------------------------------------------------------------------------------

    def function(self, node: exp.Anonymous) -> E:
        name = str(node.this).lower()
        arguments = [argument.copy() for argument in node.expressions]
        made = functions.FUNCTIONS[name](Call(name, arguments, lambda asked: self.types(node, asked)))
        if isinstance(made, Aggregate):
            return self._aggregate(node, name, made)
        return made

    def _aggregate(self, node: exp.Anonymous, name: str, made: Aggregate) -> E:
        if name == "approx_distinct":
            made.expression.set("expressions", [exp.Distinct(expressions=made.expression.expressions)])
        if name in functions.WINDOW_FUNCTIONS and not isinstance(
            node.find_ancestor(exp.Window, exp.Select), exp.Window
        ):
            raise QueryError("EXPRESSION_NOT_SCALAR", f"Window function {name} requires an OVER clause")
        if made.cast_to is None:
            return made.expression
        top: E = node
        while isinstance(top.parent, exp.Filter | exp.Window | exp.IgnoreNulls) and top.arg_key == "this":
            top = top.parent
        if top is node:
            return exp.cast(made.expression, made.cast_to)
        node.replace(made.expression)
        holder = exp.Cast(this=exp.Null(), to=exp.DataType.build(made.cast_to))
        top.replace(holder)
        holder.set("this", top)
        return node

    def ignore_nulls(self, node: exp.IgnoreNulls) -> E:
        """DuckDB wants it inside the parentheses."""
        inner = node.this
        if not isinstance(inner, exp.Anonymous) or not inner.expressions:
            raise not_supported("IGNORE NULLS here")
        made = inner.copy()
        made.set("expressions", [*made.expressions[:-1], exp.IgnoreNulls(this=made.expressions[-1])])
        return node if isinstance(node.parent, exp.Anonymous) else made

    def group_concat(self, node: exp.GroupConcat) -> E:
        """LISTAGG."""
        value, separator = node.this, node.args.get("separator") or exp.Literal.string("")
        if isinstance(value, exp.Order):
            separator = exp.Order(this=separator.copy(), expressions=value.expressions)
            value = value.this
        return call("string_agg", value, separator)

    # --- operators -----------------------------------------------------------------------------------------------------

    def arithmetic(self, node: exp.Binary) -> E:
        left, right = node.left, node.right
        if isinstance(right, exp.Interval) or isinstance(left, exp.Interval):
            return self._move(node)
        left_type, right_type = self.types(node, [left, right])
        if isinstance(node, exp.Div):
            return functions.divide(left.copy(), right.copy(), left_type, right_type)
        if "INTERVAL" in {left_type, right_type} and isinstance(node, exp.Add | exp.Sub):
            return self._move(node)
        if isinstance(node, exp.Sub) and (left_type, right_type) == ("DATE", "DATE"):
            return call("to_days", exp.cast(exp.Paren(this=node.copy()), "INTEGER"))
        both = {kind_of(left_type), kind_of(right_type)}
        if both <= {"number", "null"} or (both == {"time"} and isinstance(node, exp.Sub)):
            return node
        raise _mismatch(node, left_type, right_type)

    def _move(self, node: exp.Binary) -> E:
        moment, interval = (node.left, node.right)
        if isinstance(node, exp.Add) and isinstance(moment, exp.Interval):
            moment, interval = interval, moment
        kind = self.types(node, [moment])[0]
        if kind == "INTERVAL" and isinstance(node, exp.Add | exp.Sub):
            return node
        if (kind not in TIMES and kind != NULL) or not isinstance(node, exp.Add | exp.Sub):
            raise not_supported(f"{node.sql('trino')[:80]}: an interval and no date or time")
        return functions.plus_interval(moment.copy(), kind, interval.copy(), minus=isinstance(node, exp.Sub))

    def interval(self, node: exp.Interval) -> E:
        unit = str(node.args["unit"].name).lower() if node.args.get("unit") else ""
        count = node.this
        if unit not in {"second", "minute", "hour", "day", "week", "month", "year"} or not isinstance(
            count, exp.Literal
        ):
            raise not_supported(f"the interval {node.sql('trino')}")
        return node

    def comparison(self, node: E) -> E:
        sides = [node.this, node.expression]
        if isinstance(node, exp.Between):
            sides = [node.this, node.args["low"], node.args["high"]]
        elif isinstance(node, exp.In):
            if node.args.get("unnest") or node.args.get("field"):
                raise not_supported(_described(node))
            sides = [node.this, *node.expressions]
        if any(isinstance(side, exp.Subquery | exp.Tuple | exp.Select) for side in sides) or node.args.get("query"):
            return node
        kinds = self.types(node, sides)
        families = {kind_of(kind) for kind in kinds} - {"null"}
        if len(families) > 1:
            raise _mismatch(node, *kinds)
        return node

    def joined_texts(self, node: exp.DPipe) -> E:
        kinds = {kind_of(kind) for kind in self.types(node, [node.left, node.right])}
        if kinds - {"varchar", "array", "null", "blob"}:
            raise _mismatch(node, *self.types(node, [node.left, node.right]))
        return node

    def concat(self, node: exp.Concat) -> E:
        raise QueryError("SYNTAX_ERROR", f"line 1:1: mismatched input: {node.sql('trino')[:80]}")

    def cast(self, node: exp.Cast) -> E:
        value = node.this
        return cast(value.copy(), self.types(node, [value])[0], node.to.copy(), or_null=isinstance(node, exp.TryCast))

    def bracket(self, node: exp.Bracket) -> E:
        if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
            raise not_supported(_described(node))
        index = node.expressions[0]
        container, kind = self.types(node, [node.this, index])
        if kind_of(container) == "map":
            return call("athena_map_subscript", node.this.copy(), index.copy())
        if kind not in INTEGERS:
            raise _mismatch(node, container, kind)
        return call("athena_subscript", node.this.copy(), index.copy())

    def extract(self, node: exp.Extract) -> E:
        part = node.this.name.upper()
        if part not in EXTRACTABLE:
            raise not_supported(f"EXTRACT({part})")
        return functions.part(Call(part.lower(), [node.expression.copy()], lambda asked: self.types(node, asked)))

    def at_time_zone(self, node: exp.AtTimeZone) -> E:
        """The local date and time, which stand for a moment with its zone only where nothing else is asked of it."""
        if not _only_local_time_is_read(node):
            raise not_supported("AT TIME ZONE here; around it, cast to timestamp or date")
        kind = self.types(node, [node.this])[0]
        if kind not in {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", NULL}:
            raise QueryError("TYPE_MISMATCH", f"Type of value must be a time or timestamp, not {kind}")
        moment = node.this.copy()
        if kind == "TIMESTAMP":
            moment = call("timezone", exp.Literal.string("UTC"), moment)
        return call("timezone", node.args["zone"].copy(), moment)

    def column(self, node: exp.Column) -> E:
        """A name that is also an alias of the same SELECT: Trino and DuckDB look it up in other orders."""
        select = node.find_ancestor(exp.Select)
        if node.table or select is None or isinstance(node.this, exp.Star):
            return node
        named = [made for made in select.expressions if isinstance(made, exp.Alias)]
        meant = [made.this for made in named if made.alias.lower() == node.name.lower()]
        if not meant or meant[0] is node:
            return node
        clause: E = node
        while clause.parent is not select and clause.parent is not None:
            clause = clause.parent
        if clause.arg_key != "order":
            self.types(
                node, [node], grouped=False
            )  # an alias is no column here (DuckDB takes it as one): COLUMN_NOT_FOUND
            return node
        if isinstance(node.parent, exp.Ordered):
            return node
        if any(isinstance(outer, exp.Anonymous) and _is_aggregate(outer) for outer in _ancestors(node)):
            raise not_supported(f"the alias {node.name} inside an aggregate of ORDER BY")
        return exp.Paren(this=meant[0].copy())  # in ORDER BY the alias comes first (DuckDB: the column)

    # --- the rest ------------------------------------------------------------------------------------------------------

    def trim(self, node: exp.Trim) -> E:
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
        if node.expression:
            return call(name, node.this.copy(), node.expression.copy())
        return call(f"athena_{name}", node.this.copy())

    def substring(self, node: exp.Substring) -> E:
        length = node.args.get("length")
        if length is None:
            return call("athena_substr", node.this.copy(), node.args["start"].copy())
        return call("athena_substr_of_length", node.this.copy(), node.args["start"].copy(), length.copy())

    def position(self, node: exp.StrPosition) -> E:
        return call("strpos", node.this.copy(), node.args["substr"].copy())

    def rounded(self, node: E) -> E:
        if any(node.args.get(part) for part in ("decimals", "to")):
            raise not_supported(_described(node))
        return call("ceil" if isinstance(node, exp.Ceil) else "floor", node.this.copy())

    def unnest(self, node: exp.Unnest) -> E:
        alias = node.args.get("alias")
        if not isinstance(node.parent, exp.From | exp.Join) or alias is None or not alias.columns:
            raise not_supported("UNNEST without names of its columns")
        return node

    def without_precision(self, node: E) -> E:
        if node.this:
            raise not_supported(_described(node))
        return node


def _is_aggregate(node: exp.Anonymous) -> bool:
    return str(node.this).lower() in functions.AGGREGATES


def _mismatch(node: E, *kinds: str) -> QueryError:
    return QueryError("TYPE_MISMATCH", f"Cannot apply operator to {', '.join(kinds)}: {node.sql('trino')[:120]}")


Rule = Callable[[_Rewriting, Any], E]

_RULES: dict[type[E], Rule] = {
    exp.Anonymous: _Rewriting.function,
    exp.Column: _Rewriting.column,
    exp.IgnoreNulls: _Rewriting.ignore_nulls,
    exp.GroupConcat: _Rewriting.group_concat,
    **dict.fromkeys(ARITHMETIC, _Rewriting.arithmetic),
    **dict.fromkeys((*COMPARISONS, exp.Between, exp.In), _Rewriting.comparison),
    exp.Interval: _Rewriting.interval,
    exp.DPipe: _Rewriting.joined_texts,
    exp.Concat: _Rewriting.concat,
    exp.Cast: _Rewriting.cast,
    exp.TryCast: _Rewriting.cast,
    exp.Bracket: _Rewriting.bracket,
    exp.Extract: _Rewriting.extract,
    exp.AtTimeZone: _Rewriting.at_time_zone,
    exp.Trim: _Rewriting.trim,
    exp.Substring: _Rewriting.substring,
    exp.StrPosition: _Rewriting.position,
    exp.Ceil: _Rewriting.rounded,
    exp.Floor: _Rewriting.rounded,
    exp.Unnest: _Rewriting.unnest,
    exp.CurrentTimestamp: _Rewriting.without_precision,
    exp.Localtimestamp: _Rewriting.without_precision,
}
"""How the parts are rewritten once everything in them is; those not listed stay as they are."""


def _only_local_time_is_read(node: E) -> bool:
    """Whether what is around a moment AT TIME ZONE asks only for its date and time of day there."""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        node, parent = parent, parent.parent
    if isinstance(parent, exp.Cast):
        return parent.to.is_type("date", "timestamp")
    if isinstance(parent, exp.Extract):
        return True
    if isinstance(parent, exp.Anonymous):
        name = str(parent.this).lower()
        return name in functions.READ_LOCAL_TIME or (
            name in functions.MOVE_LOCAL_TIME and node is parent.expressions[-1] and _only_local_time_is_read(parent)
        )
    return False


def _literal_type(expression: E) -> str | None:
    if isinstance(expression, exp.Literal) and expression.is_string:
        return "STRING_LITERAL"
    if isinstance(expression, exp.Literal) and expression.is_int and abs(int(expression.name)) < 2**31:
        return "INTEGER_LITERAL"
    return NULL if isinstance(expression, exp.Null) else None


def _without_modifiers(argument: E) -> E:
    """The value itself of `DISTINCT x` and `x ORDER BY y`."""
    if isinstance(argument, exp.Order):
        return _without_modifiers(argument.this)
    if isinstance(argument, exp.Distinct):
        value: E = argument.expressions[0]
        return value
    return argument


def _fillers() -> list[E]:
    return [exp.Literal.number(0) for _ in range(PROBE_FILLERS)]


def _data_type(kind: str) -> exp.DataType:
    return exp.DataType.build(kind, dialect=_PlainDuckDB)


def _ctes_around(node: E, stand_ins: StandIns) -> list[E]:
    """The common table expressions that a place may name, in their order."""
    ctes: list[E] = []
    while node.parent is not None:
        parent = node.parent
        if isinstance(parent, exp.With):
            ctes = [_light(cte, stand_ins) for cte in parent.expressions[: node.index or 0]] + ctes
        elif (clause := parent.args.get("with_")) is not None and not isinstance(node, exp.With):
            ctes = [_light(cte, stand_ins) for cte in clause.expressions] + ctes
        node = parent
    return ctes


def _light(source: E, stand_ins: StandIns) -> E:
    return stand_ins.get(id(source), (source, source))[1].copy()


def _probe(place: E, probe: E, stand_ins: StandIns, *, grouped: bool) -> exp.Select:
    """Return a statement that holds the probe, and of the statement around `place` only what its types depend on."""
    node, made = place, probe
    statement: exp.Select | None = None
    correlated = True
    ctes = _ctes_around(place, stand_ins)
    while node.parent is not None:
        parent = node.parent
        if isinstance(parent, exp.Lambda) and statement is None and node.arg_key == "this":
            over = _list_of(parent).copy()
            made = call(
                "list_transform", over, exp.Lambda(this=made, expressions=[p.copy() for p in parent.expressions])
            )
        elif isinstance(parent, exp.With):
            correlated = False
        elif isinstance(parent, exp.Select):
            inside_from = node.arg_key == "from_" or (node.arg_key == "joins" and _is_source(place, node))
            if statement is None:
                statement = _with_sources(exp.Select(expressions=[made]), parent, node, stand_ins, grouped=grouped)
            elif correlated and not inside_from:
                around = exp.Select(expressions=[exp.Subquery(this=statement)])
                statement = _with_sources(around, parent, node, stand_ins, grouped=grouped)
        node = parent
    statement = statement or exp.Select(expressions=[made])
    if ctes := _named(ctes, statement):
        statement.set("with_", exp.With(expressions=ctes))
    return statement


def _named(ctes: list[E], statement: E) -> list[E]:
    """Those that a statement can reach: every name that it or another one of them mentions."""
    mentioned = {table.name.lower() for made in (statement, *ctes) for table in made.find_all(exp.Table)}
    return [cte for cte in ctes if str(cte.alias).lower() in mentioned]


def _is_source(place: E, join: E) -> bool:
    """Whether the place is in what a join reads, not in its condition."""
    node = place
    while node.parent is not join and node.parent is not None:
        node = node.parent
    return node.arg_key == "this"


def _list_of(lambda_: E) -> E:
    around = lambda_.parent
    if not isinstance(around, exp.Anonymous) or around.expressions[0] is lambda_:
        raise not_supported("a lambda here")
    value: E = around.expressions[0]
    return value


def _with_sources(
    statement: exp.Select, select: exp.Select, clause: E, stand_ins: StandIns, *, grouped: bool
) -> exp.Select:
    """Give a statement what a clause of a SELECT can refer to: the tables before it, and the groups."""
    if clause.arg_key == "from_":
        return statement
    if (source := select.args.get("from_")) is not None:
        statement.set("from_", exp.From(this=_light(source.this, stand_ins)))
    joins = []
    for join in select.args.get("joins") or []:
        if join is clause and not join.args.get("on"):
            break
        copied = join.copy()
        if id(join.this) in stand_ins:
            copied.set("this", _light(join.this, stand_ins))
        if copied.args.get("on"):
            copied.set("on", exp.true())
        joins.append(copied)
        if join is clause:
            break
    statement.set("joins", joins)
    group = select.args.get("group")
    if grouped and group is not None and clause.arg_key in {"expressions", "having", "order"}:
        statement.set("group", group.copy())
    return statement
