"""The functions of Trino that are translated, each by a rule of its own. What is not listed fails.

Semantics: Trino's documentation of functions and operators (https://trino.io/docs/current/functions.html), which is
what Athena engine version 3 follows.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from local.athena.casts import cast
from local.athena.errors import QueryError, not_supported
from local.athena.types import FLOATS, INTEGERS, NULL, STRINGS, TIMES, decimal_of, kind_of

E = exp.Expr


@dataclass(frozen=True)
class Call:
    """A call as it stands in the statement, its arguments translated already.

    Attributes:
        name: Trino's name of the function.
        arguments: in their order.
        types_of: gives DuckDB's types of expressions at the place of the call.
    """

    name: str
    arguments: list[E]
    types_of: Callable[[list[E]], list[str]]

    def type_of(self, place: int) -> str:
        """Return DuckDB's type of one argument."""
        return self.types_of([self.arguments[place]])[0]


@dataclass(frozen=True)
class Aggregate:
    """An aggregate's translation; the cast belongs around it and its FILTER and OVER."""

    expression: E
    cast_to: str | None = None


Rule = Callable[[Call], E | Aggregate]


def call(name: str, *arguments: E) -> exp.Anonymous:
    """Return a call of a DuckDB function."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def text(value: str) -> exp.Literal:
    """Return a text literal."""
    return exp.Literal.string(value)


def wrong_arguments(name: str) -> QueryError:
    """Return Athena's error for a call that fits no function of that name."""
    return QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {name}")


def same(*counts: int, name: str | None = None) -> Rule:
    """Return the rule for a function that DuckDB has with the same meaning, perhaps under another name."""

    def rule(made: Call) -> E:
        if len(made.arguments) not in counts:
            raise wrong_arguments(made.name)
        return call(name or made.name, *made.arguments)

    return rule


def same_aggregate(*counts: int, name: str | None = None, cast_to: str | None = None) -> Rule:
    """Return the rule for an aggregate that DuckDB has with the same meaning."""

    def rule(made: Call) -> Aggregate:
        if len(made.arguments) not in counts:
            raise wrong_arguments(made.name)
        return Aggregate(call(name or made.name, *made.arguments), cast_to)

    return rule


def by_count(**rules: Rule) -> Rule:
    """Return the rule that chooses by the number of arguments: `_1=…, _2=…`."""

    def rule(made: Call) -> E | Aggregate:
        chosen = rules.get(f"_{len(made.arguments)}")
        if chosen is None:
            raise wrong_arguments(made.name)
        return chosen(made)

    return rule


def literal_text(argument: E, of: str) -> str:
    """Return a literal's text.

    Raises:
        QueryError: it is computed, and its meaning cannot be checked before the query runs.
    """
    if not (isinstance(argument, exp.Literal) and argument.is_string):
        raise not_supported(f"{of} that is not a literal")
    return str(argument.this)


# --- Numbers -----------------------------------------------------------------------------------------------------------


def _greatest(made: Call) -> E:
    """NULL if any argument is (DuckDB: ignores them)."""
    if not made.arguments:
        raise wrong_arguments(made.name)
    unknown = exp.or_(*(exp.Is(this=argument.copy(), expression=exp.Null()) for argument in made.arguments))
    return exp.Case(
        ifs=[exp.If(this=unknown, true=exp.Null())], default=call(made.name, *(a.copy() for a in made.arguments))
    )


def _sum(made: Call) -> Aggregate:
    """Integers add up to a bigint, or overflow (DuckDB: 128 bits)."""
    if len(made.arguments) != 1:
        raise wrong_arguments(made.name)
    kind = made.type_of(0)
    made_call = call("sum", *made.arguments)
    if kind in INTEGERS:
        return Aggregate(made_call, "BIGINT")
    if kind == "FLOAT":
        return Aggregate(made_call, "FLOAT")
    if kind_of(kind) not in {"number", "null"}:
        raise wrong_arguments(made.name)
    return Aggregate(made_call)


def _avg(made: Call) -> Aggregate:
    """The mean of decimals is a decimal of their scale (DuckDB: a double)."""
    if len(made.arguments) != 1:
        raise wrong_arguments(made.name)
    kind = made.type_of(0)
    if kind.startswith("DECIMAL"):
        raise not_supported("avg of decimals: cast them to double")
    if kind_of(kind) not in {"number", "null"}:
        raise wrong_arguments(made.name)
    return Aggregate(call("avg", *made.arguments), "FLOAT" if kind == "FLOAT" else None)


def _count_if(made: Call) -> Aggregate:
    """0 when it is nowhere true (DuckDB: NULL when it is NULL everywhere)."""
    if len(made.arguments) != 1:
        raise wrong_arguments(made.name)
    counted = exp.Case(ifs=[exp.If(this=made.arguments[0], true=exp.Literal.number(1))])
    return Aggregate(call("count", counted))


def _approx_percentile(made: Call) -> Aggregate:
    """The exact percentile: Athena's differs from it by its allowed error."""
    if len(made.arguments) != 2:
        raise not_supported("approx_percentile with weights or an accuracy")
    return Aggregate(call("quantile_disc", *made.arguments))


# --- Texts -------------------------------------------------------------------------------------------------------------


def _concat(made: Call) -> E:
    """NULL if any part is (DuckDB: skips them)."""
    if len(made.arguments) < 2:
        raise wrong_arguments(made.name)
    if {kind_of(kind) for kind in made.types_of(made.arguments)} - {"varchar", "array", "null"}:
        raise wrong_arguments(made.name)
    joined = made.arguments[0]
    for part in made.arguments[1:]:
        joined = exp.DPipe(this=joined, expression=part)
    return exp.Paren(this=joined)


def _checked_pattern(argument: E) -> str:
    pattern = literal_text(argument, "a pattern")
    # Java and RE2 agree on the plain part of the language; RE2 itself refuses look-around and back references.
    if re.search(r"\\[^\\dDwWsSbB.\[\](){}*+?^$|/\"'\-]|&&|\(\?(?!i\)|:)", pattern) or not pattern.isascii():
        raise not_supported(f"the regular expression {pattern!r}")
    return pattern


def _regexp_like(made: Call) -> E:
    if len(made.arguments) != 2:
        raise wrong_arguments(made.name)
    _checked_pattern(made.arguments[1])
    return call("regexp_matches", *made.arguments)


def _regexp_extract(made: Call) -> E:
    if len(made.arguments) not in {2, 3}:
        raise wrong_arguments(made.name)
    pattern = _checked_pattern(made.arguments[1])
    group = made.arguments[2] if len(made.arguments) == 3 else exp.Literal.number(0)
    if not group.is_int:
        raise not_supported("regexp_extract with a computed group")
    if group.name != "0" and re.search(r"\||\)[?*{]", pattern):
        raise not_supported("regexp_extract of a group that may be absent from a match")  # NULL there, '' here
    return call("athena_regexp_extract", made.arguments[0], made.arguments[1], group)


def _regexp_extract_all(made: Call) -> E:
    if len(made.arguments) != 2:
        raise wrong_arguments(made.name)
    _checked_pattern(made.arguments[1])
    return call("regexp_extract_all", *made.arguments)


def _regexp_replace(made: Call) -> E:
    """`$1` in the replacement is `\\1` in DuckDB, which replaces only the first match unless told."""
    if len(made.arguments) not in {2, 3}:
        raise wrong_arguments(made.name)
    _checked_pattern(made.arguments[1])
    replacement = literal_text(made.arguments[2], "a replacement") if len(made.arguments) == 3 else ""
    if "\\" in replacement or "${" in replacement:
        raise not_supported(f"the replacement {replacement!r}")
    replaced = text(re.sub(r"\$(\d)", r"\\\1", replacement))
    return call("regexp_replace", made.arguments[0], made.arguments[1], replaced, text("g"))


def json_path(argument: E) -> exp.Literal:
    """Return a JSON path as DuckDB writes it.

    Raises:
        QueryError: a path beyond names and positions.
    """
    path = literal_text(argument, "a JSON path")
    if not re.fullmatch(r"\$(\.[A-Za-z_]\w*|\[\d+\]|\[\"[^\"\\*]+\"\])*", path):
        raise not_supported(f"the JSON path {path!r}")
    return text(re.sub(r"\[(\"[^\"]+\")\]", r".\1", path))


def _json(name: str) -> Rule:
    def rule(made: Call) -> E:
        if len(made.arguments) != 2:
            raise wrong_arguments(made.name)
        return call(name, made.arguments[0], json_path(made.arguments[1]))

    return rule


# --- Dates and times ---------------------------------------------------------------------------------------------------

UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")

MYSQL_FORMATS = {
    "%Y": "%Y", "%y": "%y", "%m": "%m", "%d": "%d", "%H": "%H", "%i": "%M", "%s": "%S", "%S": "%S", "%f": "%f",
    "%M": "%B", "%b": "%b", "%W": "%A", "%a": "%a", "%j": "%j", "%e": "%-d", "%c": "%-m", "%k": "%-H", "%h": "%I",
    "%I": "%I", "%l": "%-I", "%p": "%p", "%T": "%H:%M:%S", "%%": "%%",
}  # fmt: skip
"""date_format and date_parse: MySQL's specifiers as strftime's. Others are refused."""

JODA_FORMATS = {
    "yyyy": "%Y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S",
    "SSS": "%g", "EEEE": "%A", "EEE": "%a", "": "",
}  # fmt: skip
"""format_datetime: Joda's letters as strftime's."""


def unit_of(argument: E) -> str:
    """Return the unit of a date function.

    Raises:
        QueryError: there is no such unit.
    """
    unit = literal_text(argument, "a unit of time").lower()
    if unit not in UNITS:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid Time field")
    return unit


def mysql_format(argument: E) -> exp.Literal:
    """Return a format of date_format as strftime's.

    Raises:
        QueryError: a specifier that strftime has not.
    """
    pattern = literal_text(argument, "a date format")

    def one(found: re.Match[str]) -> str:
        if found[0] not in MYSQL_FORMATS:
            raise not_supported(f"{found[0]} in a date format")
        return MYSQL_FORMATS[found[0]]

    return text(re.sub(r"%.?", one, pattern))


def joda_format(argument: E) -> exp.Literal:
    """Return a format of format_datetime as strftime's.

    Raises:
        QueryError: letters that strftime has not.
    """
    pattern = literal_text(argument, "a date format")

    def one(found: re.Match[str]) -> str:
        if found["quoted"] is not None:
            return found["quoted"].replace("%", "%%") or "'"
        if found["letters"] not in JODA_FORMATS:
            raise not_supported(f"{found['letters']} in a date format")
        return JODA_FORMATS[found["letters"]]

    return text(re.sub(r"'(?P<quoted>[^']*)'|(?P<letters>([A-Za-z])\3*)", one, pattern.replace("%", "%%")))


def _needs_time(made: Call, place: int) -> str:
    kind = made.type_of(place)
    if kind not in TIMES and kind != NULL:
        raise wrong_arguments(made.name)
    return kind


def _date_trunc(made: Call) -> E:
    if len(made.arguments) != 2:
        raise wrong_arguments(made.name)
    unit = unit_of(made.arguments[0])
    kind = _needs_time(made, 1)
    truncated = call("date_trunc", text(unit), made.arguments[1])
    return exp.cast(truncated, "DATE") if kind == "DATE" else truncated


def interval_of(unit: str, count: E) -> E:
    """Return a count of units as DuckDB's interval."""
    one = exp.Interval(
        this=text("3" if unit == "quarter" else "1"), unit=exp.var("month" if unit == "quarter" else unit)
    )
    return exp.Paren(this=exp.Mul(this=exp.Paren(this=count), expression=one))


def plus_interval(moment: E, kind: str, interval: E, *, minus: bool = False) -> E:
    """Return a date or time moved by an interval; a date stays one."""
    if kind == "DATE":
        if minus:
            interval = exp.Paren(this=exp.Mul(this=exp.Paren(this=interval), expression=exp.Literal.number(-1)))
        return call("athena_date_plus", moment, interval)
    moved = exp.Sub if minus else exp.Add
    return exp.Paren(this=moved(this=moment, expression=interval))


def _date_add(made: Call) -> E:
    if len(made.arguments) != 3:
        raise wrong_arguments(made.name)
    count_type, kind = made.types_of(made.arguments[1:])
    if count_type not in INTEGERS or (kind not in TIMES and kind != NULL):
        raise wrong_arguments(made.name)
    return plus_interval(made.arguments[2], kind, interval_of(unit_of(made.arguments[0]), made.arguments[1]))


def _date_diff(made: Call) -> E:
    """Whole units between two moments (DuckDB's date_diff counts borders)."""
    if len(made.arguments) != 3:
        raise wrong_arguments(made.name)
    kinds = made.types_of(made.arguments[1:])
    if any(kind not in TIMES and kind != NULL for kind in kinds):
        raise wrong_arguments(made.name)
    return call("date_sub", text(unit_of(made.arguments[0])), *made.arguments[1:])


def _date_format(made: Call) -> E:
    if len(made.arguments) != 2:
        raise wrong_arguments(made.name)
    kind = _needs_time(made, 0)
    moment = call("timezone", text("UTC"), made.arguments[0]) if kind == TIMES_WITH_ZONE else made.arguments[0]
    return call("strftime", moment, mysql_format(made.arguments[1]))


TIMES_WITH_ZONE = "TIMESTAMP WITH TIME ZONE"


def _format_datetime(made: Call) -> E:
    if len(made.arguments) != 2:
        raise wrong_arguments(made.name)
    kind = _needs_time(made, 0)
    moment = call("timezone", text("UTC"), made.arguments[0]) if kind == TIMES_WITH_ZONE else made.arguments[0]
    return call("strftime", moment, joda_format(made.arguments[1]))


def _date_parse(made: Call) -> E:
    if len(made.arguments) != 2:
        raise wrong_arguments(made.name)
    pattern = mysql_format(made.arguments[1])
    if "%-" in pattern.this:
        raise not_supported("date_parse of numbers without leading zeros")
    return call("strptime", made.arguments[0], pattern)


def _with_timezone(made: Call) -> E:
    """The moment at which clocks of a zone show a timestamp."""
    if len(made.arguments) != 2 or made.type_of(0) not in {"TIMESTAMP", NULL}:
        raise wrong_arguments(made.name)
    return call("timezone", made.arguments[1], made.arguments[0])


def _to_iso8601(made: Call) -> E:
    kind = _needs_time(made, 0)
    if kind == "DATE":
        return call("strftime", made.arguments[0], text("%Y-%m-%d"))
    if kind == TIMES_WITH_ZONE:
        return call("strftime", call("timezone", text("UTC"), made.arguments[0]), text("%Y-%m-%dT%H:%M:%S.%gZ"))
    return call("strftime", made.arguments[0], text("%Y-%m-%dT%H:%M:%S.%g"))


def _date(made: Call) -> E:
    if len(made.arguments) != 1:
        raise wrong_arguments(made.name)
    return cast(made.arguments[0], made.type_of(0), exp.DataType.build("date"), or_null=False)


def _from_iso8601(to: str, pattern: str) -> Rule:
    def rule(made: Call) -> E:
        if len(made.arguments) != 1 or made.type_of(0) not in STRINGS | {NULL}:
            raise wrong_arguments(made.name)
        checked = call("regexp_full_match", made.arguments[0].copy(), text(pattern))
        wrong = exp.cast(text("INVALID_FUNCTION_ARGUMENT: Invalid format of an ISO 8601 text"), to)
        unknown = exp.Is(this=made.arguments[0].copy(), expression=exp.Null())
        ifs = [exp.If(this=exp.or_(checked, unknown), true=exp.cast(made.arguments[0], to))]
        return exp.Case(ifs=ifs, default=wrong)

    return rule


# --- Lists and maps ----------------------------------------------------------------------------------------------------


def _cardinality(made: Call) -> E:
    if len(made.arguments) != 1:
        raise wrong_arguments(made.name)
    if kind_of(made.type_of(0)) == "map":
        return exp.cast(call("cardinality", made.arguments[0]), "BIGINT")
    return call("len", made.arguments[0])


def _element_at(made: Call) -> E:
    if len(made.arguments) != 2:
        raise wrong_arguments(made.name)
    if kind_of(made.type_of(0)) == "map":
        return call("map_extract_value", *made.arguments)
    return call("athena_element_at", *made.arguments)


def _sequence(made: Call) -> E:
    kinds = set(made.types_of(made.arguments[:2]))
    if len(made.arguments) in {2, 3} and kinds <= set(INTEGERS):
        if len(made.arguments) == 3 and not made.arguments[2].is_int:
            raise not_supported("sequence with a computed step")
        return exp.cast(call("generate_series", *made.arguments), "BIGINT[]")
    if len(made.arguments) == 2 and kinds == {"DATE"}:
        return call("athena_dates", *made.arguments)
    raise not_supported("sequence of anything but whole numbers, or dates one day apart")


def _match(macro: str, *, negated: bool = False) -> Rule:
    def rule(made: Call) -> E:
        if len(made.arguments) != 2:
            raise wrong_arguments(made.name)
        answer = call(macro, call("list_transform", *made.arguments))
        return exp.Not(this=answer) if negated else answer

    return rule


# --- The list ----------------------------------------------------------------------------------------------------------

_LOCAL_PARTS = {
    "year": "year", "month": "month", "day": "day", "day_of_month": "day", "hour": "hour", "minute": "minute",
    "second": "second", "quarter": "quarter", "day_of_week": "isodow", "dow": "isodow", "day_of_year": "dayofyear",
    "doy": "dayofyear", "week": "weekofyear", "week_of_year": "weekofyear", "year_of_week": "isoyear", "yow": "isoyear",
}  # fmt: skip
"""Parts of a moment; a day of the week is 1 for Monday to 7 (DuckDB's dow: 0 for Sunday)."""


def part(made: Call) -> E:
    """Translate `year(x)`, `EXTRACT(YEAR FROM x)` and their like."""
    if len(made.arguments) != 1:
        raise wrong_arguments(made.name)
    _needs_time(made, 0)
    return call(_LOCAL_PARTS[made.name], made.arguments[0])


PARTS: dict[str, Rule] = dict.fromkeys(_LOCAL_PARTS, part)

SCALARS: dict[str, Rule] = {
    **{name: same(1) for name in ("abs", "floor", "ceil", "ceiling", "sqrt", "cbrt", "exp", "ln", "log2", "log10")},
    **{name: same(1) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "degrees", "radians")},
    **{name: same(1) for name in ("lower", "upper", "reverse")},
    **{name: same(2) for name in ("strpos", "starts_with", "nullif")},
    **PARTS,
    "sign": same(1),
    "round": same(1, 2),
    "truncate": same(1, name="trunc"),
    "mod": same(2),
    "power": same(2),
    "pow": same(2),
    "atan2": same(2),
    "pi": same(0),
    "random": same(0),
    "rand": same(0, name="random"),
    "is_nan": same(1, name="isnan"),
    "is_infinite": same(1, name="isinf"),
    "is_finite": same(1, name="isfinite"),
    "greatest": _greatest,
    "least": _greatest,
    "wilson_interval_lower": same(3, name="athena_wilson_lower"),
    "wilson_interval_upper": same(3, name="athena_wilson_upper"),
    "coalesce": same(*range(2, 100)),
    "length": same(1),
    "concat": _concat,
    "substr": by_count(_2=same(2, name="athena_substr"), _3=same(3, name="athena_substr_of_length")),
    "substring": by_count(_2=same(2, name="athena_substr"), _3=same(3, name="athena_substr_of_length")),
    "trim": same(1, name="athena_trim"),
    "ltrim": same(1, name="athena_ltrim"),
    "rtrim": same(1, name="athena_rtrim"),
    "lpad": same(3),
    "rpad": same(3),
    "replace": same(3),
    "split": same(2, name="string_split"),
    "split_part": same(3, name="athena_split_part"),
    "chr": same(1),
    "codepoint": same(1, name="unicode"),
    "levenshtein_distance": same(2, name="levenshtein"),
    "hamming_distance": same(2, name="hamming"),
    "regexp_like": _regexp_like,
    "regexp_extract": _regexp_extract,
    "regexp_extract_all": _regexp_extract_all,
    "regexp_replace": _regexp_replace,
    "json_extract": _json("athena_json_extract"),
    "json_extract_scalar": _json("athena_json_extract_scalar"),
    "json_parse": same(1, name="athena_json_parse"),
    "json_array_length": same(1, name="athena_json_array_length"),
    "now": same(0),
    "date": _date,
    "date_trunc": _date_trunc,
    "date_add": _date_add,
    "date_diff": _date_diff,
    "date_format": _date_format,
    "date_parse": _date_parse,
    "format_datetime": _format_datetime,
    "with_timezone": _with_timezone,
    "to_iso8601": _to_iso8601,
    "from_iso8601_timestamp": _from_iso8601(
        "TIMESTAMPTZ", r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?"
    ),
    "from_iso8601_date": _from_iso8601("DATE", r"\d{4}-\d{2}-\d{2}"),
    "from_unixtime": same(1, name="to_timestamp"),
    "to_unixtime": same(1, name="epoch"),
    "last_day_of_month": same(1, name="last_day"),
    "cardinality": _cardinality,
    "element_at": _element_at,
    "contains": same(2, name="list_contains"),
    "array_join": same(2, name="array_to_string"),
    "array_distinct": same(1, name="list_distinct"),
    "array_sort": same(1, name="list_sort"),
    "array_max": same(1, name="list_max"),
    "array_min": same(1, name="list_min"),
    "array_position": same(2, name="list_position"),
    "flatten": same(1),
    "slice": same(3, name="athena_slice"),
    "sequence": _sequence,
    "transform": same(2, name="list_transform"),
    "filter": same(2, name="list_filter"),
    "any_match": _match("athena_any_match"),
    "all_match": _match("athena_all_match"),
    "none_match": _match("athena_any_match", negated=True),
    "map": same(2),
    "map_keys": same(1),
    "map_values": same(1),
    "try": same(1),
    "grouping": same(*range(1, 32)),
}

AGGREGATES: dict[str, Rule] = {
    **{name: same_aggregate(1) for name in ("count", "min", "max", "array_agg", "stddev", "stddev_pop", "stddev_samp")},
    **{name: same_aggregate(1) for name in ("variance", "var_pop", "var_samp", "bool_and", "bool_or")},
    **{name: same_aggregate(2) for name in ("corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept")},
    "sum": _sum,
    "avg": _avg,
    "count_if": _count_if,
    "every": same_aggregate(1, name="bool_and"),
    "arbitrary": same_aggregate(1, name="any_value"),
    "any_value": same_aggregate(1),
    "max_by": same_aggregate(2, name="arg_max_null"),
    "min_by": same_aggregate(2, name="arg_min_null"),
    "approx_distinct": same_aggregate(1, name="count"),
    "approx_percentile": _approx_percentile,
    "geometric_mean": same_aggregate(1, name="athena_geometric_mean"),
}

WINDOW_FUNCTIONS: dict[str, Rule] = {
    **{name: same_aggregate(0) for name in ("row_number", "rank", "dense_rank", "percent_rank", "cume_dist")},
    **{name: same_aggregate(1) for name in ("ntile", "first_value", "last_value")},
    **{name: same_aggregate(1, 2, 3) for name in ("lag", "lead")},
    "nth_value": same_aggregate(2),
}

FUNCTIONS: dict[str, Rule] = {**SCALARS, **AGGREGATES, **WINDOW_FUNCTIONS}

READ_LOCAL_TIME = {*PARTS, "date", "date_format", "format_datetime"}
"""What takes from a moment AT TIME ZONE only its local date and time."""

MOVE_LOCAL_TIME = {"date_trunc", "date_add"}
"""What makes of a moment AT TIME ZONE another one."""


def divide(left: E, right: E, left_type: str, right_type: str) -> E:
    """Return a quotient as Trino counts it: whole for integers, of a fixed scale for decimals, IEEE for doubles.

    Raises:
        QueryError: operands that are no numbers, or decimals too long.
    """
    if left_type in INTEGERS and right_type in INTEGERS:
        return exp.Paren(this=exp.Div(this=left, expression=right))
    if left_type in FLOATS or right_type in FLOATS:
        return call("athena_divide_doubles", left, right)
    first, second = decimal_of(left_type), decimal_of(right_type)
    if first is None or second is None:
        if NULL in {left_type, right_type}:
            return exp.Null()
        raise QueryError("TYPE_MISMATCH", f"Cannot apply operator: {left_type} / {right_type}")
    scale = max(first.scale, second.scale)
    precision = min(38, first.precision + second.scale + max(0, second.scale - first.scale))
    if scale > 12:  # the steps below have 38 digits; values that need more overflow, which is an error
        raise not_supported("a division of decimals as long as these: cast them to double")

    def digits(value: E, more: int) -> E:
        return call("athena_digits", exp.cast(value, f"DECIMAL(38, {scale + more})"))

    whole = call("athena_divide_digits", digits(left, scale), digits(right, 0))
    unit = exp.Literal.number("0." + "0" * (scale - 1) + "1" if scale else "1")
    count = exp.cast(whole, f"DECIMAL({37 - scale}, 0)")
    return exp.cast(
        exp.Mul(this=count, expression=exp.cast(unit, f"DECIMAL({scale + 1}, {scale})")),
        f"DECIMAL({max(precision, scale + 1)}, {scale})",
    )
