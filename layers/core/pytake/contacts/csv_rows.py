"""The rows of a CSV file that arrives in chunks: each with its line and the place after it, where reading can continue."""

import csv
from collections.abc import Iterable, Iterator

from msgspec import Struct

LONGEST_LINE = 256 * 1024
"""Bytes. A row may have more lines, but no cell has more characters than Python's csv module takes (131,072)."""

MARK = "\ufeff"
"""The byte order mark, with which spreadsheets begin a file in UTF-8."""

LOST = "\ufffd"
"""The character that replaces a byte which is not UTF-8."""

_DELIMITERS = ",;\t"


class FileError(Exception):
    """The file cannot be imported, or not from `line` on. `code` is stable; the text says what to do."""

    def __init__(self, code: str, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.line = line


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
    """The rows from a place on; the chunks begin there. Empty lines are left out, and rows of a spreadsheet without a value.
    Memory holds one row.

    Raises `FileError` for a line that is too long.
    """
    lines = _Lines(chunks, start)
    # Strict: a quotation mark that is never closed would take the rest of the file as the text of one cell.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begins, lines.unreadable = lines.place.line + 1, False
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # What belongs to the row is not known. Reading goes on after the lines that were taken.
            yield CsvRow(begins, None, lines.place)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if any(map(str.strip, cells)):
            yield CsvRow(begins, None if lines.unreadable else cells, lines.place)


def read_header(chunks: Iterable[bytes]) -> tuple[list[str], str, Place]:
    """The names in the header, the delimiter, and the place after it. Raises `FileError`."""
    lines = _Lines(chunks, Place())
    line = next(lines, "").removeprefix(MARK)
    if line[:4].lower() == "sep=":  # with which spreadsheets name the delimiter, in a line of its own
        line = next(lines, "")
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
        if len(raw) > LONGEST_LINE:
            message = (
                f"Line {self.place.line + 1} is longer than {LONGEST_LINE:,} bytes. The rows before it are imported."
            )
            raise FileError("line_too_long", message, self.place.line + 1)
        self.place = Place(self.place.offset + len(raw), self.place.line + 1)
        text = raw.decode(errors="replace")
        if LOST in text:  # here, or before the file came
            self.unreadable = True
        return text


def _raw_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    left = b""
    for chunk in chunks:
        *whole, left = (left + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
        if len(left) > LONGEST_LINE:  # the line is too long already: its end is not looked for
            break
    if left:
        yield left
