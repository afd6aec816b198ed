"""CSV files in chunks: the same rows wherever the chunks end and wherever reading continues, and bounded memory."""

import csv
import io
import random

import pytest

from pytake.contacts.csv_rows import LONGEST_LINE, CsvRow, FileError, Place, csv_rows, read_header

CELLS = ["", "a", "São Paulo", 'say "hi"', "two\nlines", "a,b;c", "  x ", "=1+1", "\u2028", "'"]


def written(rows: list[list[str]], delimiter: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def chunks(content: bytes, size: int) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


@pytest.mark.parametrize("seed", range(20))
def test_rows_are_the_same_from_every_place(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    delimiter = chance.choice(",;")
    rows = [["phone", *(chance.choice(CELLS) for _ in range(3))] for _ in range(12)]
    content = written(rows, delimiter)
    whole = list(csv_rows(chunks(content, chance.randint(1, 40)), delimiter, Place()))
    assert [row.cells for row in whole] == rows
    lines = content.decode().split("\n")
    for before, row in zip([CsvRow(0, [], Place()), *whole], whole, strict=False):
        assert lines[row.line - 1].lstrip('"').startswith("phone")
        rest = csv_rows(chunks(content[before.after.offset :], 7), delimiter, before.after)
        assert list(rest) == whole[whole.index(row) :]


@pytest.mark.parametrize(
    ("content", "names", "delimiter"),
    [
        (b"phone,name\r\n1,2\r\n", ["phone", "name"], ","),
        (b"\xef\xbb\xbfphone;name\n1;2\n", ["phone", "name"], ";"),
        (b'phone;"a,b,c"\n', ["phone", "a,b,c"], ";"),
        (b"phone\tname\n", ["phone", "name"], "\t"),
        (b"phone", ["phone"], ","),
        (b"\xef\xbb\xbfsep=;\r\nphone;name\r\n1;2\r\n", ["phone", "name"], ";"),
        (b"", [], ","),
    ],
)
def test_the_header_says_the_delimiter(content: bytes, names: list[str], delimiter: str) -> None:
    header, found, place = read_header(chunks(content, 3))
    assert (header, found) == (names, delimiter)
    assert content[place.offset :] == b"\n".join(content.split(b"\n")[place.line :])


def test_a_row_that_is_not_utf8_does_not_stop_the_others() -> None:
    rows = list(csv_rows([b"a,b\nS\xe3o,b\nc,d\n"], ",", Place()))
    assert [(row.line, row.cells) for row in rows] == [(1, ["a", "b"]), (2, None), (3, ["c", "d"])]
    with pytest.raises(FileError) as refused:
        read_header([b"phone,cidad\xe9\n"])
    assert refused.value.code == "file_not_utf8"


def test_an_open_quotation_mark_takes_a_bounded_part_of_the_file() -> None:
    content = b'a,"b\n' + b"c,d\n" * 200_000
    rows = list(csv_rows(chunks(content, 65_536), ",", Place()))
    assert rows[0].cells is None
    assert rows[0].after.offset < 600_000
    assert len(rows) > 50_000
    assert all(row.cells == ["c", "d"] for row in rows[1:])


def test_a_line_without_end_is_refused_without_reading_it() -> None:
    read = 0

    def endless() -> object:
        nonlocal read
        while True:
            read += 65_536
            yield b"x" * 65_536

    with pytest.raises(FileError) as refused:
        next(csv_rows(endless(), ",", Place()))  # type: ignore[arg-type]
    assert refused.value.code == "line_too_long"
    assert read <= 2 * LONGEST_LINE


def test_empty_lines_are_left_out_and_counted() -> None:
    rows = list(csv_rows([b"\n\na\n\r\nb"], ",", Place()))
    assert [(row.line, row.cells) for row in rows] == [(3, ["a"]), (5, ["b"])]


def test_rows_of_a_spreadsheet_without_a_value_are_left_out() -> None:
    rows = list(csv_rows([b"1;a\r\n;;\r\n  ; \r\n2;b\r\n;;;;\r\n"], ";", Place()))
    assert [(row.line, row.cells) for row in rows] == [(1, ["1", "a"]), (4, ["2", "b"])]


def test_a_cell_has_lines_and_quotation_marks() -> None:
    rows = list(csv_rows([b'1,"Rua ""A""\r\nRecife"\r\n2,b\r\n'], ",", Place()))
    assert [(row.line, row.cells) for row in rows] == [(1, ["1", 'Rua "A"\r\nRecife']), (3, ["2", "b"])]


@pytest.mark.parametrize("content", [b'1,"Ana\n2,Bia\n3,Caio\n', b'1,"Ana" Silva\n', b'1,"Ana\n2,"Bia"\n'])
def test_a_quotation_mark_at_a_wrong_place_joins_no_rows(content: bytes) -> None:
    rows = list(csv_rows([content], ",", Place()))
    assert (rows[0].line, rows[0].cells) == (1, None)
    assert all(row.cells is None or len(row.cells) == 2 for row in rows)


def test_a_letter_that_was_lost_before_the_file_came_is_noticed() -> None:
    (row,) = csv_rows(["1,Jo\ufffdo\n".encode()], ",", Place())
    assert row.cells is None


def test_a_line_that_is_too_long_names_its_line_and_the_rows_before_it_are_read() -> None:
    content = b"a,b\n" * 10 + b"x" * 1_000_000 + b"\nc,d\n"
    for size in (100, 65_536, 2_000_000):
        found, rows = [], csv_rows(chunks(content, size), ",", Place())
        with pytest.raises(FileError) as refused:
            found.extend(rows)
        assert (refused.value.code, refused.value.line) == ("line_too_long", 11)
        assert len(found) == 10
