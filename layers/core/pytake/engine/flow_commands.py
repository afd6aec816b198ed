"""The words of a flow: commands that work wherever it waits for the person."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from msgspec import Struct

from pytake.engine.commands import OPT_OUT
from pytake.engine.execution import CommandExit, CompiledNode
from pytake.engine.facts import Interrupt, NodeFacts
from pytake.engine.limits import COMMAND_CHARACTERS, FLOW_COMMANDS
from pytake.engine.normalize import normalize_text
from pytake.engine.problems import Problem, problem

Nodes = Mapping[tuple[str, str], CompiledNode]


class FlowCommand(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Words that a person can write wherever the flow waits. The path then continues at `next_node_id`.

    With `returns`, the end of that path leads back: a question is asked again, and a delay starts again. Without it, the place
    where the flow waited is left. Case, accents, punctuation and "please" do not matter. Commands work in their own flow, not in
    its sub-flows. The words that always mean `stop`, and those to which the number gives this meaning, take precedence; so do
    options that the waiting node offers.
    """

    words: list[str]
    next_node_id: str
    returns: bool = False


class _Document(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def commands(self) -> list[FlowCommand]: ...


def command_problems(document: _Document, nodes: Nodes) -> Iterator[Problem]:
    """What is wrong with a document's commands."""
    if len(document.commands) > FLOW_COMMANDS:
        message = f"A flow has at most {FLOW_COMMANDS} commands; this one has {len(document.commands)}. Remove some."
        yield problem("too_many", message, flow_id=document.id, field="commands")
    known: set[str] = set()
    for index, command in enumerate(document.commands):
        field = f"commands[{index}]"
        if not command.words:
            message = "The command has no words, so a person cannot use it. Enter one."
            yield problem("missing_field", message, flow_id=document.id, field=f"{field}.words")
        for at, word in enumerate(command.words):
            wrong = _wrong_word(word, known)
            if wrong is not None:
                yield problem(wrong[0], wrong[1], flow_id=document.id, field=f"{field}.words[{at}]")
            known.add(normalize_text(word))
        if (document.id, command.next_node_id) not in nodes:
            message = f"There is no node `{command.next_node_id}`. Choose an existing node."
            yield problem("unknown_target", message, flow_id=document.id, field=f"{field}.next_node_id")


def _wrong_word(word: str, known: set[str]) -> tuple[str, str] | None:
    normalized = normalize_text(word)
    if not normalized or len(word) > COMMAND_CHARACTERS:
        return "invalid_value", f"Enter a word of 1 to {COMMAND_CHARACTERS} characters with a letter or digit."
    if normalized in OPT_OUT:
        return "invalid_value", f"`{word}` always means that the person wants no more messages. Choose another word."
    if normalized in known:
        return "duplicate_value", f"The word `{word}` stands in two places. Keep one of them."
    return None


def add_commands(document: _Document, nodes: Nodes, facts: Mapping[tuple[str, str], NodeFacts]) -> None:
    """Let the document's commands interrupt each of its nodes that waits for the person."""
    found = [
        ([normalize_text(word) for word in command.words], command, nodes.get((document.id, command.next_node_id)))
        for command in document.commands
    ]
    words = {
        word: CommandExit(f"command:{own[0]}", target, command.returns)
        for own, command, target in found
        if target is not None
        for word in own
    }
    for place, node in nodes.items():
        if not words or place[0] != document.id or node.answer is None or node.timer_input == "handed_back":
            continue
        node.commands = {word: taken for word, taken in words.items() if word not in node.offered}
        node.offered = frozenset((*node.offered, *words))
        node.returned = node.enter
        for taken in dict.fromkeys(node.commands.values()):
            facts[place].exits.append(taken.exit)
            facts[place].interrupts.append(Interrupt(taken.exit, taken.target.node_id, taken.returns))


def hidden_commands(document: _Document, nodes: Nodes) -> Iterator[Problem]:
    """Words that answer a question of the flow, which wins there. To be called before `add_commands`."""
    words = {normalize_text(word): word for command in document.commands for word in command.words}
    for (flow_id, node_id), node in nodes.items():
        for word in sorted(words.keys() & node.offered) if flow_id == document.id else ():
            message = f"Here `{words[word]}` selects an option and is not the flow's command. Rename one of them."
            yield problem("hidden_command", message, flow_id=flow_id, node_id=node_id, field="commands")
