"""Follows the tutorial "Your first bot" in the browser, in English or in Portuguese, sentence by sentence.

The names of buttons and fields are the console's own words, and must be on the page of the tutorial, as what is written.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.console.web_console import node

REPOSITORY = Path(__file__).parents[2]
PAGES = {"en": "docs/first-bot.md", "pt": "docs/pt-BR/primeiro-bot.md"}
LOCALES = {"en": "en-US", "pt": "pt-BR"}
WRITTEN = {
    "en": {
        "name": "Clinic",
        "greeting": "Hello! This is the *clinic*.",
        "question": "What is your name?",
        "variable": "name",
        "thanks": "Thank you, {{name}}!",
        "hello": "Hi",
        "test": "Says the name",
        "word": "book",
    },
    "pt": {
        "name": "Clínica",
        "greeting": "Olá! Aqui é a *clínica*.",
        "question": "Como você se chama?",
        "variable": "nome",
        "thanks": "Obrigado, {{nome}}!",
        "hello": "Oi",
        "test": "Diz o nome",
        "word": "marcar",
    },
}
PERSON = "Ana"


class FirstBot:
    """Someone who reads the tutorial in a language and does what it says. `keep` gets each of its pictures."""

    def __init__(self, page: Page, language: str, keep: "Callable[[str, Page | Locator], None]") -> None:
        self.page, self.keep = page, keep
        self.tutorial = " ".join((REPOSITORY / PAGES[language]).read_text(encoding="utf-8").split())
        source = REPOSITORY / "console" / "src"
        paths = [*source.glob(f"areas/*/words/{language}.json"), source / "words" / language / "shell.json"]
        self.words = {path.parts[-3] if path.stem == language else path.stem: _words(path) for path in paths}
        self.written = WRITTEN[language]

    def called(self, part: str, key: str) -> str:
        """The console's word of this key. The tutorial names it."""
        found: Any = self.words[part]
        for step in key.split("."):
            found = found[step]
        assert f"**{found}**" in self.tutorial, f"the tutorial does not name {found!r}"
        return str(found)

    def said(self, key: str) -> str:
        """What the person writes. The tutorial says it."""
        text = self.written[key]
        assert re.search(rf'[`"“]{re.escape(text)}[`"”]', self.tutorial), f"the tutorial does not say {text!r}"
        return text

    def follow(self, phone: str) -> None:
        """Do everything, from the first page to the answer on a simulated phone."""
        self.create()
        self.write()
        self.rehearse()
        self.publish()
        self.try_it(phone)

    def create(self) -> None:
        """2. Create the flow."""
        self.page.get_by_role("link", name=self.called("shell", "area.build"), exact=True).first.click()
        self.page.get_by_role("button", name=self.called("build", "flows.new")).click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label(self.called("build", "new.name")).fill(self.said("name"))
        dialog.get_by_text(self.called("build", "new.empty"), exact=True).click()
        dialog.get_by_role("button", name=self.called("build", "new.create")).click()
        expect(self.page.locator(".react-flow__node")).to_have_count(3)

    def write(self) -> None:
        """3. Say something and ask something."""
        field = self.page.get_by_label
        message, question, end = (self.called("build", f"type.{one}") for one in ("message", "question", "end"))
        node(self.page, message).press("Enter")  # a click may meet the canvas while it moves to the step before
        field(self.called("build", "field.text"), exact=True).fill(self.said("greeting"))
        expect(self.page.get_by_role("combobox", name=self.called("build", "field.media"), exact=True)).to_be_visible()
        expect(self.page.locator(".build-preview strong")).to_be_visible()
        self.page.locator(".build-palette").get_by_role("button", name=question, exact=True).click()
        field(question, exact=True).fill(self.said("question"))
        store = self.page.get_by_role("combobox", name=self.called("build", "field.variable"))
        store.fill(self.said("variable"))
        store.press("Tab")
        self.lead(end)
        node(self.page, message).press("Enter")
        self.lead(question)
        node(self.page, end).press("Enter")
        field(self.called("build", "field.message"), exact=True).fill(self.said("thanks"))
        self.page.get_by_role("button", name=self.called("build", "toolbar.layout")).click()
        node(self.page, question).press("Enter")
        expect(self.page.get_by_text(self.words["build"]["saving"]["saved"], exact=True)).to_be_visible()
        self.page.get_by_role("button", name=self.words["build"]["canvas"]["fit"]).click()
        self.keep("question", self.page)

    def lead(self, target: str) -> None:
        """Let the selected step lead to another."""
        expect(self.page.get_by_text(self.called("build", "form.exits"))).to_be_visible()
        self.page.get_by_role("combobox", name=self.called("build", "exit.next"), exact=True).click()
        self.page.get_by_role("option", name=target).click()

    def rehearse(self) -> None:
        """4. Rehearse, and keep the conversation as a test."""
        self.page.locator(".react-flow__pane").click(position={"x": 60, "y": 60})  # no form beside the drawing
        self.page.get_by_role("button", name=self.called("build", "toolbar.rehearse")).click()
        phone = self.page.get_by_role("region", name=self.words["build"]["rehearsal"]["name"])
        for text, answer in ((self.said("hello"), self.written["question"]), (PERSON, self.thanks())):
            phone.get_by_label(self.words["build"]["rehearsal"]["write"], exact=True).fill(text)
            phone.get_by_role("button", name=self.called("build", "rehearsal.send")).click()
            expect(phone.get_by_text(answer)).to_be_visible()
        expect(self.page.locator(".build-node.is-lit")).to_have_count(4)
        self.page.get_by_role("button", name=self.words["build"]["canvas"]["fit"]).click()
        self.keep("rehearse", self.page)
        phone.get_by_role("button", name=self.called("build", "tests.save")).click()
        self.page.get_by_label(self.words["build"]["tests"]["name"]).fill(self.said("test"))
        self.page.keyboard.press("Enter")
        expect(self.page.get_by_role("dialog")).to_have_count(0)
        self.page.get_by_role("button", name=self.called("build", "toolbar.more"), exact=True).click()
        self.page.get_by_role("menuitem", name=self.called("build", "tests.title"), exact=True).click()
        summary = self.words["build"]["tests"]["summary"].replace("{{passed}}", "1").replace("{{all}}", "1")
        expect(self.page.get_by_text(summary)).to_be_visible()

    def publish(self) -> None:
        """5. Publish, with a word that starts the flow."""
        publish = self.called("build", "publish.publish")
        self.page.get_by_role("button", name=publish).first.click()
        dialog = self.page.get_by_role("dialog")
        expect(dialog.get_by_label(self.called("build", "publish.byDefault")).first).to_be_visible()
        words = dialog.get_by_label(self.called("build", "publish.words")).first
        words.fill(self.said("word"))
        words.press("Enter")
        self.keep("publish", dialog)
        dialog.get_by_role("button", name=publish, exact=True).click()
        done = self.words["build"]["publish"]["done"].replace("{{version}}", "1")
        expect(dialog.get_by_text(done)).to_be_visible()
        dialog.get_by_role("button", name=self.called("shell", "close")).last.click()

    def try_it(self, phone: str) -> None:
        """6. Try it on a phone that is in no conversation."""
        self.page.get_by_role("link", name=self.called("shell", "area.try"), exact=True).first.click()
        self.page.get_by_label(self.called("try", "another")).fill(phone)
        self.page.get_by_role("button", name=self.called("try", "take")).click()
        handset = self.page.get_by_role("region", name=phone)
        for text, answer in ((self.said("word"), self.written["question"]), (PERSON, self.thanks())):
            handset.get_by_role("textbox").fill(text)
            handset.get_by_role("textbox").press("Enter")
            expect(handset.get_by_text(answer).last).to_be_visible()
        self.keep("try", self.page)

    def thanks(self) -> str:
        """What the bot says at the end."""
        return re.sub(r"\{\{\w+\}\}", PERSON, self.written["thanks"])


def _words(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
