"""The errors of a query, as Athena names them."""

import re
from dataclasses import dataclass

import duckdb

USER = 2
"""Category of an error that the statement's author can remove (AthenaError, ErrorCategory)."""


@dataclass
class QueryError(Exception):
    """A query fails; `str` of the error becomes the StateChangeReason.

    Attributes:
        code: Athena's name of the error, such as COLUMN_NOT_FOUND.
        message: what is wrong.
    """

    code: str
    message: str
    category: int = USER

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class BadRequestError(Exception):
    """A call of the API that is refused (InvalidRequestException unless `kind` says otherwise)."""

    def __init__(self, message: str, kind: str = "InvalidRequestException") -> None:
        """Take what is wrong and the exception's name."""
        super().__init__(message)
        self.kind = kind


def not_supported(what: str, instead: str = "") -> QueryError:
    """Return the error for SQL that Athena may support and the local Athena does not, with what to write instead."""
    hint = f" {instead}." if instead else ""
    return QueryError("NOT_SUPPORTED", f"{what} is not supported by the local Athena.{hint} AWS may run it.")


CODES_IN_MESSAGES = (
    "DIVISION_BY_ZERO",
    "INVALID_FUNCTION_ARGUMENT",
    "INVALID_CAST_ARGUMENT",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "NOT_SUPPORTED",
    "TYPE_MISMATCH",
    "FUNCTION_NOT_FOUND",
)
"""Errors that our macros raise by naming them."""

BINDER_ERRORS = (
    ("Referenced column", "COLUMN_NOT_FOUND"),
    ("does not have a column named", "COLUMN_NOT_FOUND"),
    ("Referenced table", "COLUMN_NOT_FOUND"),
    ("Ambiguous reference", "AMBIGUOUS_NAME"),
    ("must appear in the GROUP BY", "EXPRESSION_NOT_AGGREGATE"),
    ("cannot contain aggregates", "EXPRESSION_NOT_SCALAR"),
    ("WHERE clause cannot contain", "EXPRESSION_NOT_SCALAR"),
    ("No function matches the given name and argument types '+", "TYPE_MISMATCH"),
    ("No function matches the given name and argument types '-", "TYPE_MISMATCH"),
    ("No function matches the given name and argument types '*", "TYPE_MISMATCH"),
    ("No function matches the given name and argument types '%", "TYPE_MISMATCH"),
    ("No function matches the given name and argument types '~", "TYPE_MISMATCH"),
    ("No function matches", "FUNCTION_NOT_FOUND"),
    ("Could not choose a best candidate", "TYPE_MISMATCH"),
    ("Cannot compare values", "TYPE_MISMATCH"),
    ("Cannot mix values", "TYPE_MISMATCH"),
    ("Cannot combine types", "TYPE_MISMATCH"),
    ("same number of result columns", "TYPE_MISMATCH"),
)


_WRONG = {
    "text": ("FUNCTION_NOT_FOUND", "Unexpected parameters for function concat or ||"),
    "condition": ("TYPE_MISMATCH", "A condition must evaluate to a boolean"),
    "divide": ("TYPE_MISMATCH", "Cannot apply operator / to these types"),
    "subscript": ("TYPE_MISMATCH", "Cannot apply a subscript to these types"),
    "local": ("TYPE_MISMATCH", "Type of value must be a time or timestamp"),
    "plus_days": ("TYPE_MISMATCH", "Only dates and timestamps can be moved by an interval"),
    "plus_time": ("TYPE_MISMATCH", "Only dates and timestamps can be moved by an interval"),
}
"""What a call of one of our macros with other types means, where it is not a function of Trino's."""


def _wrong_types(macro: str) -> QueryError:
    if "cast_" in macro:
        return QueryError(
            "TYPE_MISMATCH", f"Cannot cast to {macro.rsplit('_', 1)[-1]}, or the local Athena does not support it"
        )
    return QueryError(*_WRONG.get(macro, ("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {macro}")))


def from_duckdb(problem: duckdb.Error) -> QueryError:
    """Return the error that Athena would give where DuckDB gave this one."""
    lines = str(problem).strip().splitlines()
    text = lines[0] if lines else type(problem).__name__
    if own := re.match(rf"[\w ]+ Error: ({'|'.join(CODES_IN_MESSAGES)}): (.*)", text):
        return QueryError(own[1], own[2])
    text = text.split(": ", 1)[-1]
    if "Division by zero" in text:
        return QueryError("DIVISION_BY_ZERO", "Division by zero")
    if isinstance(problem, duckdb.OutOfMemoryException):
        return QueryError("EXCEEDED_LOCAL_MEMORY_LIMIT", text, category=1)
    if isinstance(problem, duckdb.OutOfRangeException) or "because the value is out of range" in text:
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", text)
    if isinstance(problem, duckdb.ConversionException):
        return QueryError("INVALID_CAST_ARGUMENT", text)
    if isinstance(problem, duckdb.BinderException):
        if macro := re.match(r"Macro trino_(\w+)\(\) does not support the supplied arguments", text):
            return _wrong_types(macro[1])
        for words, code in BINDER_ERRORS:
            if words in text:
                return QueryError(code, text)
    if isinstance(problem, duckdb.InvalidInputException):
        if "More than one row returned by a subquery" in text:
            return QueryError("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows")
        return QueryError("INVALID_FUNCTION_ARGUMENT", text)
    return QueryError("NOT_SUPPORTED", f"DuckDB, which runs the local Athena's queries, refuses: {text}")
