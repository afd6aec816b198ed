"""Reading Athena's SQL: one statement, its parameters in their places."""

import itertools
import logging
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.athena import Athena
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import Token, TokenType

from local.athena.errors import QueryError

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of statements that we read ourselves


WITH_GRAMMAR = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "SUBSTRING", "POSITION", "LISTAGG")
"""Functions whose arguments have a grammar of their own."""


class PlainTrino(Trino):
    """Trino's grammar with functions left as they are written.

    sqlglot would turn known functions into its own and write those back for DuckDB, which is silently wrong in places.
    Kept as plain calls, each is translated by our own list (`functions`) or refused.
    """

    INDEX_OFFSET = 0  # places of lists stay as written, too

    class Parser(TrinoParser):
        """Parses every function as a plain call, except those with their own grammar (CAST, EXTRACT)."""

        FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
            name: TrinoParser.FUNCTION_PARSERS[name] for name in WITH_GRAMMAR
        }


def syntax_error(problem: SqlglotError) -> QueryError:
    """Return Athena's error for a statement that cannot be read."""
    details = getattr(problem, "errors", None) or [{}]
    line, column = details[0].get("line") or 1, details[0].get("col") or 1
    what = details[0].get("description") or str(problem).splitlines()[0]
    near = details[0].get("highlight")
    return QueryError("SYNTAX_ERROR", f"line {line}:{column}: {what}" + (f" near '{near}'" if near else ""))


def tokens_of(sql: str) -> list[Token]:
    """Return the tokens of a statement.

    Raises:
        QueryError: it cannot be split into tokens.
    """
    try:
        return sqlglot.tokenize(sql, read=PlainTrino)
    except SqlglotError as problem:
        raise syntax_error(problem) from problem


def parse_query(sql: str) -> exp.Expr:
    """Read one statement of Trino's kind (a query, INSERT, CREATE TABLE AS).

    Raises:
        QueryError: SYNTAX_ERROR.
    """
    tokens = tokens_of(sql)
    kinds = [token.token_type for token in tokens]
    if TokenType.DCOLON in kinds:
        raise QueryError("SYNTAX_ERROR", "line 1:1: mismatched input '::'")
    if any(pair == (TokenType.NUMBER, TokenType.OFFSET) for pair in itertools.pairwise(kinds)):
        raise QueryError("SYNTAX_ERROR", "line 1:1: mismatched input 'OFFSET': it stands before LIMIT")
    return _only_one(lambda: PlainTrino().parser().parse(tokens, sql))


def parse_hive(sql: str) -> exp.Expr:
    """Read one statement of Hive's kind (CREATE EXTERNAL TABLE, DROP, ALTER), as Athena does with DDL.

    Raises:
        QueryError: SYNTAX_ERROR.
    """
    return _only_one(lambda: sqlglot.parse(sql, read=Athena))


def _only_one(parse: Callable[[], list[exp.Expr | None]]) -> exp.Expr:
    try:
        statements = [statement for statement in parse() if statement is not None]
    except SqlglotError as problem:
        raise syntax_error(problem) from problem
    except RecursionError as problem:
        raise QueryError("STACK_OVERFLOW", "The statement is nested too deeply") from problem
    if len(statements) != 1:
        raise QueryError("SYNTAX_ERROR", "line 1:1: Only one SQL statement is allowed")
    statement = statements[0]
    if not isinstance(statement, exp.Expr):
        raise QueryError("SYNTAX_ERROR", "line 1:1: This is not a statement")
    return statement


_UNLOADED = re.compile(r"\s*UNLOAD\s*\((.*)\)\s*TO\s", re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=256)
def _places(sql: str) -> tuple[tuple[int, int], ...]:
    """Return the start and the end of each `?`. Parsing is slow, and reports repeat their statements.

    Raises:
        QueryError: SYNTAX_ERROR: a `?` is outside the WHERE clause (Athena's user guide, "Use parameterized queries").
    """
    places = tuple(
        (token.start, token.end + 1) for token in tokens_of(sql) if token.token_type is TokenType.PLACEHOLDER
    )
    if not places:
        return ()
    unloaded = _UNLOADED.match(sql)
    for place in parse_query(unloaded[1] if unloaded else sql).find_all(exp.Placeholder):
        around = place.find_ancestor(exp.Where, exp.Query)
        if not isinstance(around, exp.Where) or isinstance(around.parent, exp.Filter):
            raise QueryError("SYNTAX_ERROR", "line 1:1: Query parameters (?) are supported only in the WHERE clause")
    return places


def bind_parameters(sql: str, parameters: Sequence[str]) -> str:
    """Replace each `?` by its parameter, in the order of the text.

    Args:
        sql: the statement.
        parameters: literals as they would stand in the statement: strings come in single quotes.

    Raises:
        QueryError: the number of parameters is wrong, one is not a literal, or a `?` is outside the WHERE clause.
    """
    places = _places(sql)
    if len(places) != len(parameters):
        raise QueryError(
            "INVALID_PARAMETER_USAGE",
            f"Incorrect number of parameters: expected {len(places)} but found {len(parameters)}",
        )
    for (start, end), parameter in reversed(list(zip(places, parameters, strict=True))):
        sql = sql[:start] + _checked_literal(parameter) + sql[end:]
    return sql


@lru_cache(maxsize=256)
def _checked_literal(parameter: str) -> str:
    try:
        tree = parse_query(f"SELECT {parameter}")
    except QueryError:
        tree = exp.Null()
    value = tree.expressions[0] if isinstance(tree, exp.Select) and len(tree.expressions) == 1 else None
    bare = value.this if isinstance(value, exp.Neg | exp.Cast) else value
    only_that = isinstance(tree, exp.Select) and not any(
        tree.args.get(key) for key in tree.args if key != "expressions"
    )
    if not only_that or not isinstance(bare, exp.Literal | exp.Boolean | exp.Null):
        raise QueryError("INVALID_PARAMETER_USAGE", f"Parameter is not a literal value: {parameter}")
    assert value is not None  # noqa: S101  bare is a literal
    return str(value.sql(PlainTrino))
