"""What the console remembers of one browser."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from local.console.session import KeptText, Session
from local.console.tokens import Identity


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Session]:
    """Makes a session of a browser for which `kept` was stored."""

    def made(**kept: Any) -> Session:
        monkeypatch.setattr("local.console.session.app", SimpleNamespace(storage=SimpleNamespace(user=dict(kept))))
        return Session(Identity("acme", "admin"), "en")

    return made


@pytest.mark.parametrize("tag", ['"3"', None])
def test_a_text_that_is_not_saved_is_kept_with_the_tag_it_began_with(
    session: Callable[..., Session], tag: str | None
) -> None:
    kept = session()
    kept.keep_text("acme/hello", KeptText("{", tag))
    assert kept.kept_text("acme/hello") == KeptText("{", tag)
    assert kept.kept_text("acme/other") is None
    kept.keep_text("acme/hello", None)
    assert kept.kept_text("acme/hello") is None


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ({"f": "{"}, KeptText("{", None)),  # of a console that kept no tags
        ({"f": ["{", 3]}, None),
        ({"f": []}, None),
        ({"f": 7}, None),
        ("nonsense", None),
    ],
)
def test_what_cannot_be_read_counts_as_not_kept(
    session: Callable[..., Session], texts: Any, found: KeptText | None
) -> None:
    assert session(texts=texts).kept_text("f") == found
