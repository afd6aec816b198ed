"""The functions that the local Athena supports: macros (`functions.sql`), and rules for those that look into a literal.

Semantics: Trino's documentation of functions and operators (https://trino.io/docs/current/functions.html), which is what Athena
engine version 3 follows. ADR 0016 says how the answers were compared with a real Trino.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from sqlglot import exp

from local.athena.errors import QueryError, not_supported

E = exp.Expr
Rule = Callable[[list[E]], E]

PREFIX = "trino_"
_DEFINITIONS = Path(__file__).with_name("functions.sql")


@cache
def definitions() -> str:
    """Return the statements that make the macros."""
    return _DEFINITIONS.read_text()


@cache
def macros() -> frozenset[str]:
    """Return the names of the functions that are macros."""
    return frozenset(re.findall(rf"^CREATE MACRO {PREFIX}(\w+)", definitions(), re.MULTILINE))


AGGREGATES = {
    "count": "count", "sum": "sum", "avg": "avg", "min": "min", "max": "max", "array_agg": "array_agg",
    "max_by": "arg_max_null", "min_by": "arg_min_null", "arbitrary": "any_value", "any_value": "any_value",
    "bool_and": "bool_and", "bool_or": "bool_or", "every": "bool_and", "count_if": "count", "stddev": "stddev",
    "stddev_samp": "stddev_samp", "stddev_pop": "stddev_pop", "variance": "variance", "var_samp": "var_samp",
    "var_pop": "var_pop", "grouping": "grouping",
}  # fmt: skip
"""Aggregates by Trino's name: DuckDB's name."""

CHECKED_ARGUMENT = {
    "sum": "addend", "avg": "measure", "min": "orderable", "max": "orderable", "count_if": "condition",
    "bool_and": "condition", "bool_or": "condition", "every": "condition", "stddev": "measure", "stddev_samp": "measure",
    "stddev_pop": "measure", "variance": "measure", "var_samp": "measure", "var_pop": "measure",
}  # fmt: skip
"""The macro that an aggregate's argument goes through: it refuses what Trino refuses."""

WINDOW_FUNCTIONS = {"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "first_value", "last_value",
                    "nth_value", "lag", "lead"}  # fmt: skip

UNITS = {"millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"}
TIME_UNITS = {"millisecond", "second", "minute", "hour"}

PARTS = {
    "year": "year", "month": "month", "day": "day", "day_of_month": "day", "quarter": "quarter", "day_of_week": "isodow",
    "dow": "isodow", "day_of_year": "dayofyear", "doy": "dayofyear", "week": "weekofyear", "week_of_year": "weekofyear",
    "year_of_week": "isoyear", "yow": "isoyear", "hour": "hour", "minute": "minute", "second": "second",
}  # fmt: skip
"""Parts of a moment: DuckDB's name. A day of the week is 1 for Monday to 7 (DuckDB's dow: 0 for Sunday)."""

READ_LOCAL_TIME = {*PARTS, "date", "date_format", "format_datetime"}
"""The functions that read only the local date and time of a moment with a zone."""

MYSQL_FORMATS = {
    "%Y": "%Y", "%y": "%y", "%m": "%m", "%d": "%d", "%H": "%H", "%i": "%M", "%s": "%S", "%S": "%S", "%f": "%f",
    "%M": "%B", "%b": "%b", "%W": "%A", "%a": "%a", "%j": "%j", "%e": "%-d", "%c": "%-m", "%k": "%-H", "%h": "%I",
    "%I": "%I", "%l": "%-I", "%p": "%p", "%T": "%H:%M:%S", "%%": "%%",
}  # fmt: skip
"""The specifiers of date_format as those of strftime."""

PARSED = {"%Y": r"\d{4}", "%m": r"(0?[1-9]|1[0-2])", "%d": r"(0?[1-9]|[12]\d|3[01])", "%H": r"([01]?\d|2[0-3])",
          "%i": r"[0-5]?\d", "%s": r"[0-5]?\d", "%S": r"[0-5]?\d"}  # fmt: skip
"""The specifiers of date_parse that are supported, and what they read."""

JODA_FORMATS = {
    "yyyy": "%Y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "SSS": "%g",
    "EEEE": "%A", "EEE": "%a",
}  # fmt: skip
"""The letters of format_datetime as the specifiers of strftime."""


def part_macros() -> str:
    """Return the statements that make the macros for the parts of a moment."""
    made = []
    for name, native in PARTS.items():
        wrong = f"CAST(error('TYPE_MISMATCH: A date has no {name}') AS BIGINT)"
        of_date = wrong if name in TIME_UNITS else f"{native}(a)"
        made.append(
            f"CREATE MACRO {PREFIX}{name}(a DATE) AS {of_date}, (a TIMESTAMP) AS {native}(a), "
            f"(a TIMESTAMPTZ) AS {native}(timezone('UTC', a));"
        )
    return "\n".join(made)


def macro(name: str, *arguments: E) -> exp.Anonymous:
    """Return a call of one of the macros."""
    return exp.Anonymous(this=PREFIX + name, expressions=list(arguments))


def native(name: str, *arguments: E) -> exp.Anonymous:
    """Return a call of a function of DuckDB's."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def text(value: str) -> exp.Literal:
    """Return a text that DuckDB may take as a format, a pattern or a path; `Literal`s of the statement become varchars."""
    made = exp.Literal.string(value)
    made.meta["plain"] = True
    return made


def literal_text(argument: E, what: str) -> str:
    """Return a literal's text.

    Raises:
        QueryError: NOT_SUPPORTED if it is not a literal.
    """
    if not (isinstance(argument, exp.Literal) and argument.is_string):
        raise not_supported(f"{what} that is not a literal")
    return str(argument.this)


def wrong_arguments(name: str) -> QueryError:
    """Return Athena's error for a call that fits none of a function's signatures."""
    return QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {name}")


def zone_of(argument: E) -> exp.Literal:
    """Return the name of a time zone. Raises QueryError for an offset or an abbreviation, which DuckDB reads otherwise."""
    name = literal_text(argument, "a time zone")
    if not re.fullmatch(r"UTC|[A-Z]\w*(/[A-Z][\w+-]*)+", name):
        raise not_supported(f"the time zone '{name}'", "Use a name such as 'America/Sao_Paulo'")
    return text(name)


def unit_of(argument: E) -> str:
    """Return the unit of a date function. Raises QueryError for another word."""
    unit = literal_text(argument, "a unit of time").lower()
    if unit not in UNITS:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid Time field")
    return unit


def interval(unit: str, count: str = "1") -> exp.Interval:
    """Return an interval of DuckDB's."""
    if unit == "quarter":
        unit, count = "month", str(3 * int(count))
    return exp.Interval(this=text(count), unit=exp.var(unit))


def moved(moment: E, unit: str, by: E) -> E:
    """Return a moment moved by an interval; a date stays a date and has no hours."""
    return macro("plus_time" if unit in TIME_UNITS else "plus_days", moment, by)


def _date_add(arguments: list[E]) -> E:
    unit = unit_of(arguments[0])
    count = exp.Mul(this=macro("count", arguments[1]), expression=interval(unit))
    return moved(arguments[2], unit, count)


def _mysql_format(argument: E) -> exp.Literal:
    def one(found: re.Match[str]) -> str:
        if found[0] not in MYSQL_FORMATS:
            raise not_supported(f"{found[0]} in a date format")
        return MYSQL_FORMATS[found[0]]

    return text(re.sub(r"%.?", one, literal_text(argument, "a date format")))


def _date_parse(arguments: list[E]) -> E:
    pattern = literal_text(arguments[1], "a date format")
    parts = re.split(r"(%.?)", pattern)
    unknown = [part for part in parts if part.startswith("%") and part not in PARSED]
    if unknown or "%Y" not in parts:
        raise not_supported(f"the format '{pattern}' in date_parse")
    read = "".join(PARSED.get(part) or re.escape(part) for part in parts)
    return macro("date_parse", arguments[0], text("".join(MYSQL_FORMATS.get(p, p) for p in parts)), text(read))


def _joda_format(argument: E) -> exp.Literal:
    def one(found: re.Match[str]) -> str:
        if found["quoted"] is not None:
            return found["quoted"].replace("%", "%%") or "'"
        if found["letters"] not in JODA_FORMATS:
            raise not_supported(f"{found['letters']} in a date format")
        return JODA_FORMATS[found["letters"]]

    pattern = literal_text(argument, "a date format").replace("%", "%%")
    return text(re.sub(r"'(?P<quoted>[^']*)'|(?P<letters>([A-Za-z])\3*)", one, pattern))


def _with_timezone(arguments: list[E]) -> E:
    if zone_of(arguments[1]).name != "UTC":
        raise not_supported("with_timezone with another zone than 'UTC'")
    return macro("utc", arguments[0])


def _pattern(argument: E) -> str:
    """A regular expression of the part of the language that Java and RE2 have in common; RE2 itself refuses look-around."""
    pattern = literal_text(argument, "a regular expression")
    if not pattern.isascii() or re.search(r"\\[^\\dDwWsSbB.\[\](){}*+?^$|/\"'\-]|&&|\[\[|\[:|\(\?(?!i\)|:)", pattern):
        raise not_supported(f"the regular expression '{pattern}'")
    return pattern


def _searched(subject: E, pattern: str) -> E:
    return macro("one_line" if re.search(r"[.$]|\\[sSbB]", pattern) else "text", subject)


def _regexp_like(arguments: list[E]) -> E:
    pattern = _pattern(arguments[1])
    return native("regexp_matches", _searched(arguments[0], pattern), text(pattern))


def _regexp_extract(arguments: list[E]) -> E:
    pattern = _pattern(arguments[1])
    group = arguments[2] if len(arguments) == 3 else exp.Literal.number(0)
    if not group.is_int:
        raise not_supported("regexp_extract with a computed group")
    if int(group.name) > re.compile(pattern).groups:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Pattern has no group {group.name}")
    if group.name != "0" and re.search(r"\||\)[?*{]", pattern):
        raise not_supported("regexp_extract of a group that may be absent from a match")  # NULL in Trino, '' in DuckDB
    return macro("regexp_extract", _searched(arguments[0], pattern), text(pattern), group)


def _regexp_extract_all(arguments: list[E]) -> E:
    pattern = _never_empty(_pattern(arguments[1]))
    return native("regexp_extract_all", _searched(arguments[0], pattern), text(pattern))


def _never_empty(pattern: str) -> str:
    """A pattern without empty matches, which Java finds also after another match."""
    if re.search(r"\\[bB]", pattern) or re.search(pattern, "") is not None:
        raise not_supported(f"the regular expression '{pattern}', which matches an empty text,")
    return pattern


def _regexp_replace(arguments: list[E]) -> E:
    pattern = _never_empty(_pattern(arguments[1]))
    replacement = literal_text(arguments[2], "a replacement") if len(arguments) == 3 else ""
    if "\\" in replacement or "${" in replacement or re.search(r"\$(?!\d)|\$\d\d", replacement):
        raise not_supported(f"the replacement '{replacement}'")
    written = text(re.sub(r"\$(\d)", r"\\\1", replacement))
    return native("regexp_replace", _searched(arguments[0], pattern), text(pattern), written, text("g"))


def _json_extract_scalar(arguments: list[E]) -> E:
    path = literal_text(arguments[1], "a JSON path")
    if not re.fullmatch(r"\$(\.[A-Za-z_]\w*|\[\"[^\"\\*]+\"\])+", path):
        raise not_supported(f"the JSON path '{path}'")
    return macro("json_extract_scalar", arguments[0], text(re.sub(r"\[(\"[^\"]+\")\]", r".\1", path)))


def _array_join(arguments: list[E]) -> E:
    separator = text(literal_text(arguments[1], "a separator"))
    return macro("array_join", arguments[0], native("array_to_string", arguments[0].copy(), separator))


def _concat(arguments: list[E]) -> E:
    joined: E = macro("text", arguments[0])
    for argument in arguments[1:]:
        joined = exp.DPipe(this=joined, expression=macro("text", argument))
    return exp.Paren(this=joined)


def _nullif(arguments: list[E]) -> E:
    first, second = arguments
    return native("nullif", first, second if isinstance(second, exp.Null) else macro("same", first.copy(), second))


def _match(name: str, *, negated: bool = False) -> Rule:
    def rule(arguments: list[E]) -> E:
        found = macro(name, native("list_transform", *arguments))
        return exp.Not(this=found) if negated else found

    return rule


RULES: dict[str, tuple[tuple[int, ...], Rule]] = {
    "date_trunc": ((2,), lambda a: macro("date_trunc", text(unit_of(a[0])), a[1])),
    "date_diff": ((3,), lambda a: macro("date_diff", text(unit_of(a[0])), a[1], a[2])),
    "date_add": ((3,), _date_add),
    "date_format": ((2,), lambda a: macro("strftime", a[0], _mysql_format(a[1]))),
    "format_datetime": ((2,), lambda a: macro("strftime", a[0], _joda_format(a[1]))),
    "date_parse": ((2,), _date_parse),
    "with_timezone": ((2,), _with_timezone),
    "regexp_like": ((2,), _regexp_like),
    "regexp_extract": ((2, 3), _regexp_extract),
    "regexp_extract_all": ((2,), _regexp_extract_all),
    "regexp_replace": ((2, 3), _regexp_replace),
    "json_extract_scalar": ((2,), _json_extract_scalar),
    "array_join": ((2,), _array_join),
    "concat": (tuple(range(2, 100)), _concat),
    "coalesce": (tuple(range(2, 100)), lambda a: native("coalesce", *a)),
    "nullif": ((2,), _nullif),
    "transform": ((2,), lambda a: native("list_transform", *a)),
    "filter": ((2,), lambda a: native("list_filter", *a)),
    "any_match": ((2,), _match("any_match")),
    "all_match": ((2,), _match("all_match")),
    "none_match": ((2,), _match("any_match", negated=True)),
}
"""By Trino's name: the numbers of arguments, and what the call becomes."""

OPERATORS = {
    "same", "condition", "text", "number", "divide", "plus_days", "plus_time", "count", "local", "subscript", "reads", "may_read",
    "no_decimal", "no_lists", "one_line", "json", "day_unit", "strftime", "utc", "series", "addend", "narrow", "window_sum",
    "measure", "orderable", "white_space", "integers", "doubles", "booleans", "dates", "moments", "odd_integers", "odd_doubles",
    "odd_booleans", "odd_moments", "written_numbers",
}  # fmt: skip
"""The macros that are not functions of Trino's."""


@cache
def supported() -> frozenset[str]:
    """Return the names of all functions that may be called."""
    scalars = {name for name in macros() if "cast_" not in name} - OPERATORS
    return frozenset({*scalars, *PARTS, *RULES, *AGGREGATES, *WINDOW_FUNCTIONS, "at_timezone"})
