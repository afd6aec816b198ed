"""The catalogue: both languages say the same things, and the pages ask only for what it has."""

import re
from pathlib import Path
from string import Formatter

import pytest

import local.console
from local.console.words import TEXTS, Words, preferred

SOURCES = [path for path in Path(local.console.__file__).parent.rglob("*.py") if not path.name.startswith("words")]
ASKED = re.compile(r"""words\(\s*(f?)(["'])([\w.{}]+)\2""")


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_fill_in_the_same(key: str) -> None:
    portuguese, english = TEXTS[key]
    assert portuguese.strip()
    assert english.strip()
    assert names(portuguese) == names(english)


def test_every_text_a_page_asks_for_exists() -> None:
    asked = {(match[1], match[3]) for path in SOURCES for match in ASKED.finditer(path.read_text())}
    assert len(asked) > 10
    for computed, key in asked:
        if computed:  # a key with a computed part: something must fit
            pattern = re.sub(r"\{.*?\}", r"[\\w.]+", key.replace(".", r"\."))
            assert any(re.fullmatch(pattern, known) for known in TEXTS), key
        else:
            assert key in TEXTS


def test_words_are_filled_in() -> None:
    assert Words("pt_BR")("frame.language", name="Português") == "Idioma: Português"
    assert Words("en")("area.try") == "Try"
    assert Words("en").get("no.such.key", "as it is") == "as it is"
    with pytest.raises(KeyError):
        Words("en")("no.such.key")


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt_BR"),
        ("en-US,pt;q=0.5", "en"),
        ("de;q=0.9, pt-PT;q=0.8, en;q=0.1", "pt_BR"),
        ("de", "en"),
        ("", "en"),
        ("pt;q=x", "en"),
    ],
)
def test_the_browser_says_which_language(accepted: str, language: str) -> None:
    assert preferred(accepted) == language
