"""`pytake chat`: a WhatsApp-like chat with a running local cloud, in the terminal or from a script."""

import json
import sys
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer

from cli.api_client import DEFAULT_URL, Url
from cli.ending import fail

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

Entry = dict[str, Any]
Action = dict[str, Any]

PROMPT = "› "
CHAT_HELP = (
    "Type a message, or the number of a button to tap it. /image, /video, /audio, /document [caption] and "
    "/location [lat lon] send a file or a location, /react 👍 reacts to the last message. /help shows this text, /quit ends. "
    "A JSON object is sent unchanged."
)
MEDIA = ("image", "video", "audio", "document", "sticker")
TICKS = {"sent": "✓", "delivered": "✓✓", "read": "✓✓", "failed": "✗ not delivered"}
MAX_BUBBLE_WIDTH = 60
HISTORY = 20

ANSWER_SECONDS = 15
"""How long a line of a script waits for its answer."""
QUIET_SECONDS = 1
"""An answer is complete when no message arrived for this time."""
POLL_SECONDS = 20


class SimulatorUnavailableError(Exception):
    """There is no simulated WhatsApp at the address; the text says what to do."""


class ActionRejectedError(Exception):
    """The simulated WhatsApp rejected the action; the text says why."""


class SimulatedPhone:
    """One phone of the simulated WhatsApp."""

    def __init__(self, url: str, number: str, name: str, transport: httpx.BaseTransport | None = None) -> None:
        """Use the phone `number` with the profile name `name`; `transport` is for tests."""
        self._url = url.rstrip("/")
        self._path = f"/_sim/phones/{number}"
        self._name = name
        self._client = httpx.Client(base_url=self._url, timeout=POLL_SECONDS + 10, trust_env=False, transport=transport)

    def messages(self, after: int = 0, wait: int = 0) -> list[Entry]:
        """Return the entries after number `after`; wait up to `wait` seconds for one."""
        answer = self._call("GET", "/messages", params={"after": after, "wait": wait} if wait else {"after": after})
        entries: list[Entry] = answer.json()["messages"]
        return entries

    def perform(self, action: Action) -> int:
        """Perform an action of the person and return the number of its entry. Raises `ActionRejectedError`."""
        answer = self._call("POST", "/messages", json={"name": self._name, **action})
        return int(answer.json().get("seq", 0))

    def read(self) -> None:
        """Mark all messages as read."""
        self._call("POST", "/read")

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, self._path + path, **more)
        except httpx.HTTPError as error:
            advice = f"There is no local cloud at {self._url}. Start one with: pytake local"
            raise SimulatorUnavailableError(advice) from error
        if answer.is_success:
            return answer
        try:
            message = answer.json()["error"]["message"]
        except (ValueError, LookupError, TypeError):
            message = None
        if message is None:
            raise SimulatorUnavailableError(
                f"{self._url} has no simulated phones ({answer.status_code}). Only the local cloud does."
            )
        raise ActionRejectedError(message)


class ChatScreen:
    """The chat in the terminal: the last entry shown and the choices that can be tapped."""

    def __init__(self, console: "Console") -> None:
        """Print on `console`."""
        self._console = console
        self.last_seq = 0
        self.choices: list[str] = []

    def show(self, entries: Iterable[Entry]) -> bool:
        """Print entries; return whether one is from the business."""
        answered = False
        for entry in entries:
            self.last_seq = max(self.last_seq, entry["seq"])
            offered = choices_of(entry)
            if entry["direction"] == "in":
                self.choices = []
            else:
                answered = True
                self.choices = [choice["id"] for choice in offered] or self.choices
            self._console.print(bubble(entry, self._console.width))
        return answered

    def note(self, text: str) -> None:
        """Print a line that is not a message."""
        self._console.print(text, style="dim", justify="center", markup=False, highlight=False)


def chat(
    phone: Annotated[str, typer.Option(help="Your simulated phone number.")] = "5511999990001",
    name: Annotated[str, typer.Option(help="Your profile name.")] = "Ana",
    url: Url = DEFAULT_URL,
) -> None:
    """Chat with a running local cloud as a person on WhatsApp.

    Type a message, or the number of a button. With a script on stdin, each line waits for its answer.
    """
    from rich.console import Console

    me, screen = SimulatedPhone(url, phone, name), ChatScreen(Console(highlight=False))
    try:
        if sys.stdin.isatty():
            run_interactive(me, screen)
        else:
            run_script(me, screen, sys.stdin)
    except SimulatorUnavailableError as error:
        fail(str(error))


def run_script(phone: SimulatedPhone, screen: ChatScreen, lines: Iterable[str]) -> None:
    """Send each line and show its answer before sending the next. Ends after `/quit` or the last line.

    Earlier messages of the phone are not shown.
    """
    screen.last_seq = max((entry["seq"] for entry in phone.messages()), default=0)
    for line in lines:
        try:
            action = parse_line(line, screen.choices)
        except ValueError as error:
            screen.note(str(error))
            continue
        if action is None:
            continue
        if action == QUIT:
            return
        try:
            phone.perform(action)
        except ActionRejectedError as error:
            screen.note(str(error))
            continue
        if not show_answer(phone, screen):
            screen.note(f"No answer within {ANSWER_SECONDS} seconds.")


def show_answer(phone: SimulatedPhone, screen: ChatScreen) -> bool:
    """Show the answer until it is complete; return whether there was one."""
    answered, waited = False, 0
    while waited < ANSWER_SECONDS:
        wait = QUIET_SECONDS if answered else ANSWER_SECONDS - waited
        entries = phone.messages(screen.last_seq, wait)
        if answered and not entries:
            break
        answered = screen.show(entries) or answered
        waited += 0 if entries else wait
    if answered:
        phone.read()
    return answered


def run_interactive(phone: SimulatedPhone, screen: ChatScreen) -> None:
    """Chat until `/quit`, Ctrl-D or Ctrl-C; new messages are shown at once."""
    earlier = phone.messages()
    screen.show(earlier[-HISTORY:])
    screen.note(CHAT_HELP)
    writing = threading.Lock()  # held while one of the two threads prints
    lost: list[SimulatorUnavailableError] = []

    def watch() -> None:
        try:
            while True:
                entries = phone.messages(screen.last_seq, POLL_SECONDS)
                if not entries:
                    continue
                with writing:
                    sys.stdout.write("\r\x1b[2K")
                    answered = screen.show(entries)
                    sys.stdout.write(PROMPT + current_input())
                    sys.stdout.flush()
                if answered:
                    phone.read()
        except SimulatorUnavailableError as error:
            lost.append(error)
            with writing:
                sys.stdout.write(f"\r\x1b[2K{error}\nPress Enter to leave. ")
                sys.stdout.flush()

    threading.Thread(target=watch, daemon=True).start()
    while not lost:
        try:
            line = input(PROMPT)
        except (EOFError, KeyboardInterrupt):
            break
        with writing:
            sys.stdout.write("\x1b[1A\x1b[2K")  # the bubble replaces the typed line
            sys.stdout.flush()
        try:
            action = parse_line(line, screen.choices)
            if action == QUIT:
                break
            if action is not None:
                phone.perform(action)
        except (ValueError, ActionRejectedError) as error:
            with writing:
                screen.note(str(error))
    if lost:
        raise lost[0]


def current_input() -> str:
    """Return the text after the prompt, to restore it after a message was printed."""
    try:
        import readline
    except ImportError:
        return ""
    return readline.get_line_buffer()


QUIT: Action = {"quit": True}


def parse_line(line: str, choices: list[str]) -> Action | None:
    """Return the action of a line, `QUIT`, or None for an empty line.

    `choices` are the ids of the buttons on the screen. Raises ValueError with a text for the user.
    """
    line = line.strip()
    if not line:
        return None
    if line.startswith("{"):
        try:
            action: Action = json.loads(line)
        except ValueError as error:
            raise ValueError(f"Invalid JSON: {error}") from error
        return action
    if line.isdecimal() and 1 <= int(line) <= len(choices):
        return {"reply_id": choices[int(line) - 1]}
    if line.startswith("/"):
        return _command(line[1:])
    return {"text": line}


def _command(line: str) -> Action:
    word, _, rest = line.partition(" ")
    if word in ("quit", "exit"):
        return QUIT
    if word in MEDIA:
        return {"media": {"type": word, **({"caption": rest.strip()} if rest.strip() else {})}}
    if word == "react":
        return {"reaction": {"emoji": rest.strip()}}
    if word == "location":
        try:
            latitude, longitude = map(float, rest.split() or ("-23.5614", "-46.6559"))
        except ValueError:
            raise ValueError("/location needs two numbers, such as /location -23.56 -46.65") from None
        return {"location": {"latitude": latitude, "longitude": longitude}}
    if word == "help":
        raise ValueError(CHAT_HELP)
    raise ValueError(f"Unknown command /{word}. {CHAT_HELP}")


def choices_of(entry: Entry) -> list[dict[str, Any]]:
    """Return the buttons and rows of an entry."""
    return [*(entry.get("buttons") or ()), *(entry.get("rows") or ())]


def bubble(entry: Entry, width: int) -> "RenderableType":
    """Return an entry as a bubble: messages of the person on the right, of the business on the left."""
    from rich.align import Align
    from rich.box import ROUNDED
    from rich.console import Group
    from rich.panel import Panel
    from rich.text import Text

    mine = entry["direction"] == "in"
    foot = Text(datetime.fromtimestamp(entry["timestamp"]).strftime("%H:%M"), style="dim", justify="right")  # noqa: DTZ006
    if mine:
        foot.append(f" {TICKS.get(entry['status'], '')}", style="bright_blue" if entry["status"] == "read" else "dim")
    panel = Panel(
        Group(*content(entry), foot),
        box=ROUNDED,
        expand=False,
        width=None,
        border_style="green" if mine else "bright_black",
    )
    narrow = min(MAX_BUBBLE_WIDTH, max(24, width * 3 // 4))
    if _content_width(entry) + 4 > narrow:
        panel.width = narrow
    if mine:
        return Align.right(panel)
    offered = choices_of(entry)
    if not offered:
        return panel
    lines = Text()
    for number, choice in enumerate(offered, 1):
        lines.append(f"  {number:>2}  ", style="bold cyan").append(choice["title"])
        if choice.get("description"):
            lines.append(f"  {choice['description']}", style="dim")
        lines.append("\n" if number < len(offered) else "")
    return Group(panel, lines)


def content(entry: Entry) -> "list[Text]":
    """Return the lines of a bubble: header, text, footer, and anything that is not text in brackets."""
    from rich.text import Text

    message = entry.get("message", {})
    interactive = message.get("interactive", {}) if entry["direction"] == "out" else {}
    lines = []
    header = interactive.get("header", {})
    if header.get("type") == "text":
        lines.append(Text(header["text"], style="bold"))
    elif header:
        lines.append(Text(f"[{header['type']}]", style="italic"))
    if entry["type"] not in ("text", "interactive", "button"):
        lines.append(Text(_placeholder(entry["type"], message), style="italic"))
    if entry["text"]:
        lines.append(Text(entry["text"]))
    if interactive.get("footer"):
        lines.append(Text(interactive["footer"]["text"], style="dim"))
    parameters = interactive.get("action", {}).get("parameters", {})
    if interactive.get("type") == "cta_url":
        lines.append(Text(f"{parameters['display_text']}: {parameters['url']}", style="cyan"))
    if interactive.get("type") == "location_request_message":
        lines.append(Text("/location sends your location", style="cyan"))
    return lines or [Text("…")]


def _placeholder(kind: str, message: dict[str, Any]) -> str:
    inside = message.get(kind)
    detail = ""
    if isinstance(inside, dict):
        detail = str(inside.get("link") or inside.get("filename") or "")
        if kind == "location":
            detail = f"{inside.get('latitude')}, {inside.get('longitude')}"
        if kind == "template":
            detail = str(inside.get("name", ""))
    return f"[{kind}{' ' + detail if detail else ''}]"


def _content_width(entry: Entry) -> int:
    from rich.cells import cell_len

    return max((cell_len(line) for text in content(entry) for line in text.plain.splitlines()), default=0)
