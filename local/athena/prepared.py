"""Translations kept for statements that come again with other parameters: a translation takes longer than most queries.

A statement is translated with marks in the places of its parameters, and the marks are replaced in DuckDB's SQL. Rules that
look into a literal (a format, a pattern, a path, a unit) refuse the marks; such a statement is translated as it is.
"""

import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock

from sqlglot import exp

from local.athena.errors import QueryError
from local.athena.parsing import bind_parameters, parse_query

KEPT = 200

_TEXT = re.compile(r"\s*'((?:[^']|'')*)'\s*")
_MOMENT = re.compile(r"\s*TIMESTAMP\s+'(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,3})?)'\s*", re.IGNORECASE)

Key = tuple[str, ...]
Mark = tuple[str, str, str]
"""A mark, the literal that holds it, and the text that belongs in its place."""


class Translations:
    """The last statements' translations, by their text, the kinds of their parameters and the tables they read."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[Key, str | None] = OrderedDict()
        self._lock = Lock()

    def get(
        self, sql: str, parameters: Sequence[str], tables: object, translate: Callable[[exp.Expr], str]
    ) -> str | None:
        """Return DuckDB's SQL for a statement with parameters, or None if it has to be translated as it is.

        Args:
            sql: the query, with question marks.
            parameters: the literals for them.
            tables: what the translation depends on besides, as something whose text tells it.
            translate: translates a parsed statement.
        """
        marked = [_marked(place, parameter) for place, parameter in enumerate(parameters)]
        if not marked or None in marked:
            return None
        marks = [mark for mark in marked if mark]
        key = (sql, *(literal for _, literal, _ in marks), repr(tables))
        with self._lock:
            known = key in self._kept
            found = self._kept.pop(key, None)
        if not known:
            found = _translated(sql, marks, translate)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        if found is None:
            return None
        for mark, _, value in marks:
            found = found.replace(f"'{mark}'", f"'{value}'")
        return found


def _translated(sql: str, marks: Sequence[Mark], translate: Callable[[exp.Expr], str]) -> str | None:
    """Return the translation with marks; None if a rule refused one, or made something else of it."""
    try:
        made = translate(parse_query(bind_parameters(sql, [literal for _, literal, _ in marks])))
    except QueryError:
        return None
    rest = made
    for mark, _, _ in marks:
        if f"'{mark}'" not in rest:
            return None
        rest = rest.replace(f"'{mark}'", "")
    return None if any(mark in rest for mark, _, _ in marks) else made


def _marked(place: int, parameter: str) -> Mark | None:
    """Return the mark for a parameter; None for one whose value a translation may depend on."""
    if (text := _TEXT.fullmatch(parameter)) is not None:
        # No format, pattern, path, unit or replacement is written like this: each rule that reads one refuses it.
        mark = f"§%Q\\${{{place}}}"
        return mark, f"'{mark}'", text[1]
    if (moment := _MOMENT.fullmatch(parameter)) is not None:
        mark = f"0001-01-01 00:00:00.{place:03d}"
        return mark, f"TIMESTAMP '{mark}'", moment[1]
    return None
