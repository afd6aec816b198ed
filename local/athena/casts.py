"""CAST and TRY_CAST as Trino does them. DuckDB is more lenient: it reads '1.5' as a whole number."""

import re

from sqlglot import exp

from local.athena.errors import not_supported
from local.athena.types import FLOATS, INTEGERS, NULL, STRINGS, kind_of

E = exp.Expr

WHOLE = {"TINYINT", "SMALLINT", "INT", "BIGINT"}

TEXTS = {
    **dict.fromkeys(WHOLE, r"[+-]?\d+"),
    "DOUBLE": r"\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity)\s*",
    "FLOAT": r"\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity)\s*",
    "DECIMAL": r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?",
    "BOOLEAN": r"(?i:t|true|f|false|1|0)",
    "DATE": r"\s*\d{4}-\d{1,2}-\d{1,2}\s*",
    "TIMESTAMP": r"\s*\d{4}-\d{1,2}-\d{1,2}( \d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?\s*",
}
"""The texts that Trino reads as a value of a type."""

TIMESTAMP_WITH_ZONE = (
    r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)? ?([A-Za-z_]+(/[A-Za-z_]+)*|[+-]\d{2}:\d{2})"
)
"""A literal such as TIMESTAMP '2026-11-22 10:00:00 UTC'."""

JSON_ELEMENTS = {"TEXT", "VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN"}


def cast(value: E, source: str, target: exp.DataType, *, or_null: bool) -> E:
    """Return a cast.

    Args:
        value: what is cast, translated.
        source: its DuckDB type.
        target: the type asked for.
        or_null: NULL instead of an error (TRY_CAST).

    Raises:
        QueryError: a cast that is not known to mean the same.
    """
    to = _name(target)
    plain = exp.TryCast if or_null else exp.Cast
    made = plain(this=value, to=target)
    if source == NULL:
        return made
    if source == "JSON":
        return _from_json(value, target, to, or_null=or_null)
    if source in STRINGS and to in TEXTS:
        return _checked(value, made, to, or_null=or_null)
    known = (
        (to in WHOLE and (source in INTEGERS or source.startswith("DECIMAL") or source == "BOOLEAN"))
        or (to in {"DOUBLE", "FLOAT", "DECIMAL"} and kind_of(source) == "number")
        or (to == "BOOLEAN" and (source == "BOOLEAN" or source in INTEGERS))
        or (to in {"DATE", "TIMESTAMP", "TIMESTAMPTZ"} and kind_of(source) == "time")
        or (to == "VARBINARY" and source == "BLOB")
        or (to == "ARRAY" and _same_elements(source, target))
    )
    if known:
        return made
    if to in WHOLE and source in FLOATS:  # half away from zero (DuckDB: to the even neighbour)
        return plain(this=exp.Anonymous(this="round", expressions=[value]), to=target)
    if to in {"VARCHAR", "TEXT"}:
        return _to_varchar(value, source, target)
    if to == "TIMESTAMPTZ" and isinstance(value, exp.Literal) and re.fullmatch(TIMESTAMP_WITH_ZONE, value.this):
        return made
    raise not_supported(f"a cast of {source} to {target.sql('trino')}")


def _name(target: exp.DataType) -> str:
    """The type's plain name; a precision of times beyond milliseconds does not exist in Athena's tables."""
    name = target.this.value if isinstance(target.this, exp.DataType.Type) else str(target.this)
    if name in {"TIMESTAMP", "TIMESTAMPTZ"}:
        target.set("expressions", [])
    return str(name)


def _checked(value: E, made: E, to: str, *, or_null: bool) -> E:
    if isinstance(value, exp.Literal):
        if re.fullmatch(TEXTS[to], value.this):
            return made
        if or_null:
            return exp.cast(exp.Null(), made.args["to"])
        reason = f"INVALID_CAST_ARGUMENT: Cannot cast to {to.lower()}: {value.this}"
        return exp.Cast(this=exp.Literal.string(reason), to=made.args["to"])  # when it runs: it may stand in TRY
    fits = exp.Anonymous(this="regexp_full_match", expressions=[value.copy(), exp.Literal.string(TEXTS[to])])
    if or_null:
        return exp.Case(ifs=[exp.If(this=fits, true=made)])
    says = exp.Literal.string(f"INVALID_CAST_ARGUMENT: Cannot cast to {to.lower()}: ")
    wrong = exp.Cast(this=exp.Paren(this=exp.DPipe(this=says, expression=value.copy())), to=made.args["to"].copy())
    unknown = exp.Is(this=value.copy(), expression=exp.Null())
    return exp.Case(ifs=[exp.If(this=exp.or_(fits, unknown), true=made)], default=wrong)


def _to_varchar(value: E, source: str, target: exp.DataType) -> E:
    length = target.expressions[0] if target.expressions else None
    if source in STRINGS:
        if length is None:
            return value
        return exp.Anonymous(this="left", expressions=[value, exp.Literal.number(length.name)])
    if length is not None:
        raise not_supported(f"a cast of {source} to varchar of a fixed length")
    macro = {
        "DOUBLE": "athena_varchar_of_double",
        "TIMESTAMP": "athena_varchar_of_timestamp",
        "TIMESTAMP WITH TIME ZONE": "athena_varchar_of_timestamp_with_zone",
    }.get(source)
    if macro:
        return exp.Anonymous(this=macro, expressions=[value])
    if source in INTEGERS or source in {"BOOLEAN", "DATE"} or source.startswith("DECIMAL"):
        return exp.cast(value, "VARCHAR")
    raise not_supported(f"a cast of {source} to varchar")


def _from_json(value: E, target: exp.DataType, to: str, *, or_null: bool) -> E:
    as_text = exp.Anonymous(this="athena_json_to_varchar", expressions=[value])
    if to in {"VARCHAR", "TEXT"} and not target.expressions and not or_null:
        return as_text
    if to in {"BIGINT", "INT", "DOUBLE", "BOOLEAN"} and not or_null:
        return _checked(as_text, exp.Cast(this=as_text.copy(), to=target), to, or_null=False)
    if to == "ARRAY" and _name(target.expressions[0]) in JSON_ELEMENTS and not or_null:
        return exp.Cast(this=value, to=target)
    if to == "JSON":
        return value
    raise not_supported(f"a cast of JSON to {target.sql('trino')}")


def _same_elements(source: str, target: exp.DataType) -> bool:
    element, wanted = source.removesuffix("[]"), _name(target.expressions[0])
    return source.endswith("[]") and (
        element in {NULL, wanted}
        or (element in INTEGERS and wanted in {"INT", "BIGINT", "DOUBLE"})
        or (element in STRINGS and wanted in {"VARCHAR", "TEXT"} and not target.expressions[0].expressions)
    )
