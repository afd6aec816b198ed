"""`pytake chat`: what a line does, what a bubble shows, and a script that talks to a simulated WhatsApp."""

import json
from io import StringIO
from typing import Any

import httpx
import pytest
from rich.console import Console

from cli.chat import QUIT, ChatScreen, SimulatedPhone, SimulatorUnavailableError, bubble, parse_line, run_script


@pytest.mark.parametrize(
    ("line", "action"),
    [
        ("Olá", {"text": "Olá"}),
        ("  2 ", {"reply_id": "support"}),
        ("3", {"text": "3"}),  # there are only two buttons
        ("", None),
        ("/quit", QUIT),
        ("/image  um gato", {"media": {"type": "image", "caption": "um gato"}}),
        ("/audio", {"media": {"type": "audio"}}),
        ("/react 👍", {"reaction": {"emoji": "👍"}}),
        ("/react", {"reaction": {"emoji": ""}}),
        ("/location -1.5 2", {"location": {"latitude": -1.5, "longitude": 2.0}}),
        ('{"reply_id": "sales"}', {"reply_id": "sales"}),
    ],
)
def test_a_line_is_understood(line: str, action: dict[str, Any] | None) -> None:
    assert parse_line(line, ["sales", "support"]) == action


@pytest.mark.parametrize("line", ["/dance", "/help", "/location here", '{"text"'])
def test_a_line_that_makes_no_sense_is_explained(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_line(line, [])


def entry(seq: int, direction: str, text: str, **more: Any) -> dict[str, Any]:
    return {
        "seq": seq,
        "direction": direction,
        "id": f"wamid.{seq}",
        "timestamp": 1_795_348_800,
        "type": "text",
        "text": text,
        "status": "delivered",
        "phone_number_id": "1",
        "message": {},
        **more,
    }


def shown(one: dict[str, Any], width: int = 60) -> list[str]:
    console = Console(file=StringIO(), width=width)
    console.print(bubble(one, width))
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def test_the_persons_messages_stand_on_the_right_with_ticks() -> None:
    lines = shown(entry(1, "in", "Oi", status="read"))
    assert all(line.startswith("      ") for line in lines)
    assert any("✓✓" in line for line in lines)


def test_the_answers_stand_on_the_left_without_ticks() -> None:
    lines = shown(entry(1, "out", "Olá!"))
    assert lines[0].startswith("╭")
    assert not any("✓" in line for line in lines)


def test_buttons_and_rows_are_numbered() -> None:
    rows = [{"id": "a", "title": "Vendas", "description": "Preços"}, {"id": "b", "title": "Suporte"}]
    lines = shown(entry(1, "out", "Com quem?", type="interactive", rows=rows))
    assert [line.split() for line in lines[-2:]] == [["1", "Vendas", "Preços"], ["2", "Suporte"]]


def test_what_is_no_text_is_named() -> None:
    message = {"image": {"link": "https://example.com/cat.png", "caption": "Um gato"}}
    text = " ".join(" ".join(shown(entry(1, "out", "Um gato", type="image", message=message), 100)).split())
    assert "[image https://example.com/cat.png]" in text
    assert "Um gato" in text


def test_long_texts_wrap_and_markup_stays_text() -> None:
    lines = shown(entry(1, "out", "[bold]" + "palavra " * 30))
    assert max(map(len, lines)) <= 60
    assert "[bold]" in lines[1]


class FakeSimulator:
    """Answers every text with an echo, and offers two buttons."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = [entry(1, "out", "from before")]
        self.acted: list[dict[str, Any]] = []
        self.reads = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            after = int(request.url.params["after"])
            return httpx.Response(200, json={"messages": [one for one in self.entries if one["seq"] > after]})
        if request.url.path.endswith("/read"):
            self.reads += 1
            return httpx.Response(200, json={"read": 1})
        action = json.loads(request.content)
        self.acted.append(action)
        if "media" in action:
            return httpx.Response(422, json={"error": {"code": "no_media", "message": "No media today."}})
        said = action.get("text") or action["reply_id"]
        seq = len(self.entries)
        buttons = [{"id": "yes", "title": "Sim"}, {"id": "no", "title": "Não"}]
        self.entries += [entry(seq + 1, "in", said), entry(seq + 2, "out", f"echo {said}", buttons=buttons)]
        return httpx.Response(202, json={"id": "wamid.x", "seq": seq + 1})


def script_output(*lines: str) -> tuple[FakeSimulator, str]:
    simulated, output = FakeSimulator(), StringIO()
    phone = SimulatedPhone("http://127.0.0.1:8000", "5511999990001", "Ana", httpx.MockTransport(simulated))
    run_script(phone, ChatScreen(Console(file=output, width=60)), lines)
    return simulated, output.getvalue()


def test_a_script_gets_each_answer_before_its_next_line() -> None:
    simulated, output = script_output("Oi\n", "2\n", "/quit\n", "never\n")
    assert simulated.acted == [{"name": "Ana", "text": "Oi"}, {"name": "Ana", "reply_id": "no"}]
    assert output.index("echo Oi") < output.index("echo no")
    assert "from before" not in output
    assert simulated.reads == 2


def test_a_refused_action_is_shown_and_the_script_goes_on() -> None:
    _, output = script_output("/image\n", "Oi\n")
    assert "No media today." in output
    assert "echo Oi" in output


def test_without_a_local_cloud_it_says_how_to_start_one() -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(SimulatorUnavailableError, match="pytake local"):
        SimulatedPhone("http://127.0.0.1:8000", "1", "Ana", httpx.MockTransport(nobody)).messages()


def test_a_system_without_phones_is_recognised() -> None:
    elsewhere = httpx.MockTransport(lambda _: httpx.Response(404, json={"message": "Not Found"}))
    with pytest.raises(SimulatorUnavailableError, match="no simulated phones"):
        SimulatedPhone("https://api.example.com", "1", "Ana", elsewhere).messages()
