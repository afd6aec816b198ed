"""Functions, operators and casts as calls of the macros in `functions.sql`."""

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from local.athena import functions
from local.athena.errors import QueryError, not_supported
from local.athena.functions import macro, native, text

E = exp.Expr

COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Mod)

CASTS = {"INT": "integer", "BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean", "DATE": "date",
         "TIMESTAMP": "timestamp", "VARCHAR": "varchar", "TEXT": "varchar"}  # fmt: skip
"""The types that are cast to, by sqlglot's name."""

CONDITIONS = (*COMPARISONS, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like, exp.Escape, exp.Exists,
              exp.Boolean, exp.Null)  # fmt: skip


def rewrite(node: E) -> None:
    """Rewrite the nodes below, then the node itself."""
    for child in list(node.iter_expressions()):
        if not isinstance(child, exp.DataType):
            rewrite(child)
    for kind, rule in _RULES.items():
        if isinstance(node, kind):
            made = rule(node)
            if made is not node:
                node.replace(made)
            return


def _null(*nodes: E) -> bool:
    return any(isinstance(node.unnest(), exp.Null) for node in nodes)


# --- calls -------------------------------------------------------------------------------------------------------------


def _function(node: exp.Anonymous) -> E:
    name, arguments = str(node.this).lower(), list(node.expressions)
    if name.startswith(functions.PREFIX):
        return node
    if name == "at_timezone" and len(arguments) == 2:
        return _local_time(node, *arguments)
    if name in functions.AGGREGATES:
        return _aggregate(node, name, arguments)
    if name in functions.WINDOW_FUNCTIONS:
        if not isinstance(node.find_ancestor(exp.Window, exp.Select), exp.Window):
            raise QueryError("MISSING_OVER", f"Window function {name} requires an OVER clause")
        return native(name, *arguments)
    if name in functions.RULES:
        counts, rule = functions.RULES[name]
        if len(arguments) not in counts:
            raise functions.wrong_arguments(name)
        return rule(arguments)
    return macro(name, *arguments)


def _aggregate(node: exp.Anonymous, name: str, arguments: list[E]) -> E:
    counts = {"count": {1}, "max_by": {2}, "min_by": {2}, "grouping": set(range(1, 32))}.get(name, {1})
    if len(arguments) not in counts:
        raise not_supported(f"{name} with {len(arguments)} arguments")
    window = node.parent if isinstance(node.parent, exp.Window) else None
    if window and isinstance(arguments[0], exp.Distinct):
        raise not_supported("DISTINCT over a window")
    if name == "count_if":
        counted = exp.If(this=macro("condition", arguments[0]), true=exp.Literal.number(1))
        return native("count", exp.Case(ifs=[counted]))
    if name in {"max_by", "min_by"}:
        arguments[1] = macro("orderable", arguments[1])
    elif (check := functions.CHECKED_ARGUMENT.get(name)) is not None:
        value = arguments[0]
        if isinstance(value, exp.Distinct):
            value.set("expressions", [macro(check, *value.expressions)])
        elif not (name == "sum" and window):
            arguments[0] = macro(check, value)
    if name == "sum" and window:
        return macro("window_sum", *arguments)
    return native(functions.AGGREGATES[name], *arguments)


def _window(node: exp.Window) -> E:
    if isinstance(node.this, exp.Filter):
        raise not_supported("FILTER of a window function, which Trino does not support either")
    return node


def _ignore_nulls(node: exp.IgnoreNulls) -> E:
    """DuckDB wants it inside the parentheses."""
    if isinstance(node.parent, exp.Anonymous):
        return node
    inner = node.this.copy()
    if not isinstance(inner, exp.Anonymous) or not inner.expressions:
        raise not_supported("IGNORE NULLS here")
    inner.set("expressions", [exp.IgnoreNulls(this=inner.expressions[0]), *inner.expressions[1:]])
    return inner


def _listagg(node: exp.GroupConcat) -> E:
    value, separator = node.this, node.args.get("separator") or exp.Literal.string("")
    separator = text(functions.literal_text(separator, "a separator"))
    if isinstance(value, exp.Order):
        separator = exp.Order(this=separator, expressions=value.expressions)
        value = value.this
    return native("string_agg", macro("text", value), separator)


# --- operators ---------------------------------------------------------------------------------------------------------


def _divide(node: exp.Div) -> E:
    return exp.Null() if _null(node.left, node.right) else macro("divide", node.left, node.right)


def _arithmetic(node: exp.Binary) -> E:
    left, right = node.left, node.right
    if isinstance(node, exp.Add) and isinstance(left, exp.Interval):
        left, right = right, left
    if isinstance(right, exp.Interval) and isinstance(node, exp.Add | exp.Sub):
        unit, count = str(right.args["unit"].name).lower(), right.this.name
        if isinstance(node, exp.Sub):
            count = count.removeprefix("-") if count.startswith("-") else f"-{count}"
        return functions.moved(left, unit, functions.interval(unit, count))
    for key, side in (("this", node.left), ("expression", node.right)):
        if not isinstance(side, exp.Literal | exp.Null):
            node.set(key, macro("number", side))
    return node


def _interval(node: exp.Interval) -> E:
    around, count = node.parent, node.this
    if (
        not isinstance(around, exp.Add | exp.Sub)
        or not isinstance(count, exp.Literal)
        or not re.fullmatch(r"-?\d+", count.name)
    ):
        raise not_supported("an interval except beside + and - of a date or a timestamp")
    if str(node.args["unit"].name).lower() not in functions.UNITS - {"millisecond", "week", "quarter"}:
        raise not_supported(f"the interval {node.sql('trino')}")
    return node


def _compared(value: E, other: E) -> E:
    """Another operand of a comparison with a value, as a call that checks the types of both."""
    return other if _null(value, other) else macro("same", value.copy(), other)


def _comparison(node: exp.Binary) -> E:
    node.set("expression", _compared(node.this, node.expression))
    return node


def _between(node: exp.Between) -> E:
    for bound in ("low", "high"):
        node.set(bound, _compared(node.this, node.args[bound]))
    return node


def _in(node: exp.In) -> E:
    query = node.args.get("query")
    if query is not None:  # the type of the query's column is that of the query as a value
        node.set("this", macro("same", query.copy(), node.this.copy()))
    node.set("expressions", [_compared(node.this, item) for item in node.expressions])
    return node


def _case(node: exp.Case) -> E:
    for branch in node.args["ifs"]:
        if node.this is not None:
            branch.set("this", _compared(node.this, branch.this))
        else:
            _condition(branch)
    return node


def _if(node: exp.If) -> E:
    return node if isinstance(node.parent, exp.Case) else _condition(node)


def _condition(node: E, keys: tuple[str, ...] = ("this",)) -> E:
    """DuckDB takes numbers for conditions."""
    for key in keys:
        condition = node.args.get(key)
        if condition is not None and not isinstance(condition.unnest(), CONDITIONS):
            node.set(key, macro("condition", condition))
    return node


def _both_conditions(node: E) -> E:
    return _condition(node, ("this", "expression"))


def _join(node: exp.Join) -> E:
    return _condition(node, ("on",))


def _joined_texts(node: exp.DPipe) -> E:
    for key, side in (("this", node.left), ("expression", node.right)):
        if not isinstance(side, exp.DPipe | exp.Null):
            node.set(key, macro("text", side))
    return node


def _cast(node: exp.Cast) -> E:
    value, to = node.this, node.to
    name = to.this.value if isinstance(to.this, exp.DataType.Type) else str(to.this)
    precision = [parameter.name for parameter in to.expressions]
    if isinstance(value, exp.Literal) and value.is_string and name in {"TIMESTAMP", "TIMESTAMPTZ"}:
        return (
            _moment(value.name, name)
            if precision not in ([], ["3"]) or name == "TIMESTAMPTZ"
            else macro("cast_timestamp", value)
        )
    if (
        isinstance(value, exp.Literal)
        and value.is_string
        and name == "DECIMAL"
        and re.fullmatch(r"-?\d+(\.\d+)?", value.name)
    ):
        return exp.Literal.number(value.name)
    if name not in CASTS or precision not in ([], ["3"] if name == "TIMESTAMP" else []):
        raise not_supported(f"a cast to {to.sql('trino')}")
    if _null(value):
        return exp.cast(exp.Null(), CASTS[name])
    return macro(("try_cast_" if isinstance(node, exp.TryCast) else "cast_") + CASTS[name], value)


def _moment(written: str, name: str) -> E:
    """A literal such as TIMESTAMP '2026-11-22 10:00:00 UTC'."""
    zone = " UTC" if name == "TIMESTAMPTZ" else ""
    if not re.fullmatch(
        rf"\d{{4}}-\d{{1,2}}-\d{{1,2}}( ([01]?\d|2[0-3]):\d{{2}}(:\d{{2}}(\.\d{{1,3}})?)?)?{zone}", written
    ):
        raise not_supported(f"the timestamp '{written}'", "Use milliseconds at most, and no zone but UTC")
    return exp.Cast(this=text(written), to=exp.DataType.build(name))


def _subscript(node: exp.Bracket) -> E:
    if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
        raise not_supported(f"the expression {node.sql('trino')[:80]}")
    return macro("subscript", node.this, node.expressions[0])


def _extract(node: exp.Extract) -> E:
    name = node.this.name.lower()
    if name not in functions.PARTS:
        raise not_supported(f"EXTRACT({name.upper()})")
    return macro(name, node.expression)


def _at_time_zone(node: exp.AtTimeZone) -> E:
    return _local_time(node, node.this, node.args["zone"])


def _local_time(node: E, moment: E, zone: E) -> E:
    """The local date and time, which stand for a moment with its zone only where nothing else is read of it."""
    if not _only_local_time_is_read(node):
        raise not_supported("AT TIME ZONE here", "Put a cast to timestamp or date, date_trunc or date_format around it")
    return macro("local", moment, functions.zone_of(zone))


def _only_local_time_is_read(node: E) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        node, parent = parent, parent.parent
    if isinstance(parent, exp.Cast):
        return parent.to.is_type("date", "timestamp")
    if isinstance(parent, exp.Anonymous) and (name := str(parent.this).lower()) == "date_trunc":
        return node is parent.expressions[-1] and _only_local_time_is_read(parent)
    return isinstance(parent, exp.Extract) or (isinstance(parent, exp.Anonymous) and name in functions.READ_LOCAL_TIME)


# --- functions with a grammar of their own -----------------------------------------------------------------------------


def _trim(node: exp.Trim) -> E:
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "").upper(), "trim")
    return macro(name, *[part for part in (node.this, node.expression) if part])


def _substring(node: exp.Substring) -> E:
    parts = (node.this, node.args.get("start"), node.args.get("length"))
    return macro("substr", *[part for part in parts if part])


def _position(node: exp.StrPosition) -> E:
    return macro("strpos", node.this, node.args["substr"])


Rule = Callable[[Any], E]

_RULES: dict[type[E] | tuple[type[E], ...], Rule] = {
    exp.Anonymous: _function,
    exp.Window: _window,
    exp.IgnoreNulls: _ignore_nulls,
    exp.GroupConcat: _listagg,
    exp.Div: _divide,
    ARITHMETIC: _arithmetic,
    exp.Interval: _interval,
    COMPARISONS: _comparison,
    exp.Between: _between,
    exp.In: _in,
    exp.Case: _case,
    exp.If: _if,
    (exp.And, exp.Or): _both_conditions,
    (exp.Not, exp.Where, exp.Having): _condition,
    exp.Join: _join,
    exp.DPipe: _joined_texts,
    (exp.Cast, exp.TryCast): _cast,
    exp.Bracket: _subscript,
    exp.Extract: _extract,
    exp.AtTimeZone: _at_time_zone,
    exp.Trim: _trim,
    exp.Substring: _substring,
    exp.StrPosition: _position,
}
"""How the constructs are rewritten once everything in them is; those not listed stay as they are."""
