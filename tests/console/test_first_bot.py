"""The tutorial "Your first bot" works as it is written, in English and in Portuguese."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page

from tests.console.conftest import Visitor
from tests.console.first_bot import LOCALES, FirstBot
from tests.console.web_console import sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud


@pytest.mark.parametrize(
    ("language", "visitor"), [(language, {"locale": LOCALES[language]}) for language in LOCALES], indirect=["visitor"]
)
def test_the_tutorial_works_as_it_is_written(
    language: str, web_page: Page, visitor: Visitor, cloud: "Cloud", new_phone: str
) -> None:
    sign_in(web_page, f"{visitor.url}/console", "admin")
    kept: list[str] = []
    FirstBot(web_page, language, lambda name, _: kept.append(name)).follow(new_phone)
    assert kept == ["question", "rehearse", "publish", "try"]
