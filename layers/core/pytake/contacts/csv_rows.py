"""The rows of a CSV file that arrives in chunks: each with its line and the place after it, where reading can continue."""

import csv
from collections.abc import Iterable, Iterator

from msgspec import Struct

LONGEST_LINE = 256 * 1024
"""Bytes. A row may have more lines, but no cell has more characters than Python's csv module takes (131,072)."""

MARK = "\ufeff"
"""The byte order mark, with which spreadsheets begin a file in UTF-8."""

_DELIMITERS = ",;\t"


class FileError(Exception):
    """The file as a whole cannot be imported. `code` is stable; the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Place(Struct, frozen=True):
    """A place between two rows: so many bytes and lines are before it."""

    offset: int = 0
    line: int = 0


class CsvRow(Struct, frozen=True):
    """A row: the line of the file where it begins, its cells, and the place after it. None: it is not CSV in UTF-8."""

    line: int
    cells: list[str] | None
    after: Place


def csv_rows(chunks: Iterable[bytes], delimiter: str, start: Place) -> Iterator[CsvRow]:
    """The rows from a place on; the chunks begin there. Empty lines are left out. Memory holds one row.

    Raises `FileError` for a line that is too long.
    """
    lines = _Lines(chunks, start)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        begins, lines.unreadable = lines.place.line + 1, False
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # What belongs to the row is not known. Reading goes on after the lines that were taken.
            yield CsvRow(begins, None, lines.place)
            reader = csv.reader(lines, delimiter=delimiter)
            continue
        if cells:
            yield CsvRow(begins, None if lines.unreadable else cells, lines.place)


def read_header(chunks: Iterable[bytes]) -> tuple[list[str], str, Place]:
    """The names in the first line, the delimiter, and the place after it. Raises `FileError`."""
    lines = _Lines(chunks, Place())
    line = next(lines, "").removeprefix(MARK)
    if lines.unreadable:
        raise FileError("file_not_utf8", "The file is not in UTF-8. Save it as CSV UTF-8, and import it again.")
    outside = "".join(line.split('"')[::2])
    delimiter = max(_DELIMITERS, key=outside.count)
    try:
        return next(csv.reader([line], delimiter=delimiter), []), delimiter, lines.place
    except csv.Error:
        raise FileError("header_invalid", "The first line is not the header of a CSV file.") from None


class _Lines:
    """An iterator over the lines as text. `place` is the place after the last one, `unreadable` whether one was not UTF-8."""

    def __init__(self, chunks: Iterable[bytes], start: Place) -> None:
        self.place = start
        self.unreadable = False
        self._raw = _raw_lines(chunks)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        raw = next(self._raw)
        self.place = Place(self.place.offset + len(raw), self.place.line + 1)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.unreadable = True
            return raw.decode(errors="replace")


def _raw_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    left = b""
    for chunk in chunks:
        *whole, left = (left + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(left) > LONGEST_LINE:
            raise FileError("line_too_long", f"A line is longer than {LONGEST_LINE:,} bytes.")
    if left:
        yield left
