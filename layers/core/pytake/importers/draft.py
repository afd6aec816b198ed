"""A flow document in the making. Nodes are added in chains; a chain may lead to a part of the source that comes later."""

from typing import Any, get_args

from msgspec import structs

from pytake.engine.effect_actions import addresses
from pytake.engine.nodes.action import Action
from pytake.importers.handoffs import say_before_handoffs
from pytake.importers.layout import COLUMN, lay_out, targets
from pytake.importers.names import UniqueNames, slug
from pytake.importers.report import Loss, Report, Severity

FORMAT = 1


class Ref(str):
    """A part of the source by its key, where a document has the id of a node. `FlowDraft.finish` replaces it."""

    __slots__ = ()


Place = tuple[dict[str, Any], str]
"""A field of a node's data that waits for the id of the node that follows."""


def declare_parameters(document: dict[str, Any], values: dict[str, Any]) -> None:
    """Let a document's start declare parameters with these defaults."""
    nodes, entry = document["nodes"], document["start_node_id"]
    start = next((node for node in nodes if node["id"] == entry), None)
    if start is None or start["type"] != "start":
        name, taken = "start", {node["id"] for node in nodes}
        while name in taken:
            name += "_"
        position = start["position"] if start is not None else {"x": 0, "y": 0}
        place = {"x": position["x"] - COLUMN, "y": position["y"]}
        start = {"id": name, "type": "start", "data": {"next_node_id": entry}, "position": place}
        nodes.insert(0, start)
        document["start_node_id"] = name
    parameters = start["data"].setdefault("parameters", [])
    declared = {one["name"] for one in parameters}
    parameters += [{"name": name, "default": value} for name, value in values.items() if name not in declared]


class FlowDraft:
    """One flow document in the making."""

    def __init__(self, report: Report, flow_id: str, name: str, language: str = "") -> None:
        self.report = report
        self.id = flow_id
        self.name = name
        self.language = language
        self.extra: dict[str, Any] = {}
        self.texts: dict[str, dict[str, str]] = {}
        self.nodes: list[dict[str, Any]] = []
        self._commands: list[dict[str, Any]] = []
        self._names = UniqueNames()
        self._entries: dict[str, str | None] = {}
        self._end: str | None = None
        self.merged: set[str] = set()
        """The waits whose question was merged with the text before it."""
        self._ahead: list[tuple[Chain, Loss]] = []

    def chain(self, key: str | None = None) -> "Chain":
        """Begin the nodes of a part of the source."""
        return Chain(self, key)

    def enter_at(self, key: str, target: str | None) -> None:
        """A part of the source begins at this node, at another part (a Ref), or nowhere (None: the flow ends there)."""
        self._entries.setdefault(key, target)

    def forget(self, key: str) -> None:
        """A part of the source begins elsewhere."""
        self._entries.pop(key, None)

    def release(self, node_id: str) -> None:
        """An id is free again."""
        self._names.release(node_id)

    def has(self, key: str) -> bool:
        """Whether a part of the source has been added."""
        return key in self._entries

    def add_node(self, kind: str, data: dict[str, Any], hint: str, label: str = "") -> dict[str, Any]:
        """Add a node whose id is made of the hint."""
        node: dict[str, Any] = {"id": self._names.take(slug(hint, kind)), "type": kind, "data": data}
        if label:
            node["label"] = label[:80]
        self.nodes.append(node)
        return node

    def command(self, word: str, target: str, *, returns: bool) -> None:
        """Add a command of the flow that leads to this part of the source."""
        if all(word not in command["words"] for command in self._commands):
            self._commands.append({"words": [word], "next_node_id": target, **({"returns": True} if returns else {})})

    def lose(self, code: str, severity: Severity, source: str, message: str, node_id: str | None = None) -> None:
        """Report a loss of this flow."""
        self.report.add(Loss(code, severity, source, node_id, message, self.id))

    def lose_ahead(self, chain: "Chain", code: str, severity: Severity, source: str, message: str) -> None:
        """Report a loss of the node that the chain gets next."""
        self._ahead.append((chain, Loss(code, severity, source, None, message, self.id)))

    def settle(self, chain: "Chain | None", node_id: str | None = None) -> None:
        """The chain has got its next node, or (None) no chain gets another one."""
        waiting, self._ahead = self._ahead, []
        for one, loss in waiting:
            if chain is None:
                self.report.add(structs.replace(loss, node_id=self._place_of(one)))
            elif one is chain:
                self.report.add(structs.replace(loss, node_id=node_id))
            else:
                self._ahead.append((one, loss))

    def _announce_missing_actions(self) -> None:
        """Let the organization's integrations do what no action of a flow does: they get an event with the same data."""
        known = {kind.__struct_config__.tag for kind in get_args(Action)}
        for node in self.nodes:
            actions: list[dict[str, Any]] = node["data"]["actions"] if node["type"] == "action" else []
            for at, action in enumerate(actions):
                kind = action["type"]
                nowhere = kind == "send_email" and "{{" not in action["to"] and not addresses(action["to"])
                if kind not in known or nowhere:
                    data = {name: value for name, value in action.items() if name != "type"}
                    actions[at] = {"type": "emit_event", "name": kind, "data": data}
                    reason = "The e-mail has no valid address" if nowhere else f"A flow has no action `{kind}`"
                    message = f"{reason}. An event with its data asks one of your programs to do it."
                    self.lose(f"event_{kind}", "loss", f"node {node['id']}", message, node["id"])

    def _place_of(self, chain: "Chain") -> str | None:
        """The last node of a chain; of one without nodes, the node where it leads."""
        if chain.last is not None:
            last: str = chain.last["id"]
            return last
        return self._node_at(Ref(chain.key)) if chain.key is not None and chain.key in self._entries else None

    def finish(self, start_key: str, keep: str = "") -> dict[str, Any]:
        """The document. The flow starts at this part of the source. `keep`: another part that jumps enter."""
        self.settle(None)
        for node in list(self.nodes):
            after = node["data"].get("next_node_id")
            if node["type"] == "handoff" and isinstance(after, Ref) and self.resolve(after) is None:
                del node["data"]["next_node_id"]  # the conversation stays with the agent
            node["data"] = self._resolved(node["data"])
        start = self._node_at(Ref(start_key))
        commands = [{**command, "next_node_id": self._node_at(command["next_node_id"])} for command in self._commands]
        start, going_on = say_before_handoffs(self.nodes, start)
        for node_id in going_on:
            message = "The flow goes on at once after it calls an agent. Here it goes on when the agent returns the conversation."
            self.lose("handoff_goes_on", "loss", f"node {node_id}", message, node_id)
        self._drop_leftovers([start, self.resolve(Ref(keep)), *(command["next_node_id"] for command in commands)])
        self._announce_missing_actions()
        lay_out(self.nodes, start)
        document: dict[str, Any] = {"format": FORMAT, "id": self.id, "name": self.name}
        if self.language:
            document["language"] = self.language
        texts = {
            language: {key: text for key, text in table.items() if key.partition(".")[0] in self._ids()}
            for language, table in self.texts.items()
        }
        if any(texts.values()):
            document["languages"] = [self.language, *texts]
            document["texts"] = texts
        if commands:
            document["commands"] = commands
        return {**document, "start_node_id": start, **self.extra, "nodes": self.nodes}

    def resolve(self, target: str | None) -> str | None:
        """The id of the node where a Ref leads; None if nothing follows there. Parts that lead to one another end the flow."""
        seen = set()
        while isinstance(target, Ref):
            if target in seen:
                return None
            seen.add(target)
            target = self._entries.get(target)
        return target

    def _ids(self) -> set[str]:
        return {node["id"] for node in self.nodes}

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolved(item) for item in value]
        return self._node_at(value) if isinstance(value, Ref) else value

    def _node_at(self, ref: Ref) -> str:
        """The id of the node where a Ref leads: the flow's end if nothing follows there."""
        target = self.resolve(ref)
        if target is None:
            if self._end is None:
                self._end = self.add_node("end", {}, "end")["id"]
            target = self._end
        return target

    def _drop_leftovers(self, starts: list[str | None]) -> None:
        """Leave out nodes that only a merged question could have reached. Parts that no path reaches in the source stay."""
        reached = self._reached_from(starts)
        leftovers = {self.resolve(Ref(key)) for key in self.merged} - reached
        entries = [self.resolve(Ref(key)) for key in self._entries]
        kept = self._reached_from([*starts, *(node for node in entries if node not in leftovers)])
        self.nodes = [node for node in self.nodes if node["id"] in kept]
        self.report.keep_nodes(self.id, kept)
        alone = len(kept - reached)
        if alone:
            message = f"No path from the start reaches {alone} of the nodes. Connect or delete them."
            self.lose("unreachable", "note", f"flow {self.name}", message)

    def _reached_from(self, starts: list[str | None]) -> set[str]:
        by_id = {node["id"]: node for node in self.nodes}
        waiting = [start for start in starts if start is not None and start in by_id]
        reached = set(waiting)
        while waiting:
            for target in targets(by_id[waiting.pop()]["data"]):
                if target in by_id and target not in reached:
                    reached.add(target)
                    waiting.append(target)
        return reached


class Chain:
    """Nodes that follow one another. `key` names the part of the source that begins here."""

    def __init__(self, draft: FlowDraft, key: str | None) -> None:
        self.draft = draft
        self.key = key
        self._open: list[Place] = []
        self._before: list[Place] = []
        self._started = False
        self._first: str | None = None
        self.last: dict[str, Any] | None = None

    @property
    def started(self) -> bool:
        """Whether the chain has a node."""
        return self._started

    @property
    def closed(self) -> bool:
        """Whether nothing can follow: the chain has gone elsewhere or has ended."""
        return self._started and not self._open

    def add(
        self, kind: str, data: dict[str, Any], hint: str, label: str = "", *, follows: bool = True
    ) -> dict[str, Any]:
        """Add a node. What comes next follows it at its `next_node_id`, unless `follows` is false."""
        node = self.draft.add_node(kind, data, hint, label)
        self._before = self._open
        self._connect(node["id"])
        self._open = [(data, "next_node_id")] if follows else []
        self.last = node
        self.draft.settle(self, node["id"])
        return node

    def act(self, action: dict[str, Any], hint: str = "action") -> None:
        """Add an action, to the last node if that is an action too."""
        if (
            self.last is not None
            and self.last["type"] == "action"
            and self._open == [(self.last["data"], "next_node_id")]
        ):
            self.last["data"]["actions"].append(action)
        else:
            self.add("action", {"actions": [action]}, hint)

    def set(self, variable: str, value: Any) -> None:
        """Store a value in a variable."""
        self.act({"type": "set_variable", "variable": variable, "value": value}, f"set_{variable}")

    def remove_last(self) -> bool:
        """Take the last node out, if only this chain leads to it; what comes next follows the node before it."""
        if self.last is None or self._open != [(self.last["data"], "next_node_id")]:
            return False
        self.draft.nodes.remove(self.last)
        self.draft.release(self.last["id"])
        for data, field in self._before:
            del data[field]
        self._open, self._before = self._before, []
        if self._first == self.last["id"]:
            self._started, self._first = False, None
            if self.key is not None:
                self.draft.forget(self.key)
        self.last = None
        return True

    def take_open(self) -> list[Place]:
        """The places where what comes next would follow. Nothing follows there until `reopen`."""
        places, self._open = self._open, []
        return places

    def reopen(self, places: list[Place]) -> None:
        """What comes next follows at these places only."""
        self._open = places

    def close(self) -> None:
        """Nothing follows the last node."""
        self._open = []

    def go(self, target: str | None) -> None:
        """Continue at this node or Ref, or end (None). Nothing can follow in this chain."""
        if not self._started:
            self._begin(target)
        else:
            for data, field in self._open:
                data[field] = target if target is not None else Ref("")
        self._started, self._open = True, []

    def lose(self, code: str, severity: Severity, source: str, message: str, *, ahead: bool = False) -> None:
        """Report a loss at the last node of the chain, or at the next one (`ahead`)."""
        if ahead or self.last is None:
            self.draft.lose_ahead(self, code, severity, source, message)
            return
        self.draft.lose(code, severity, source, message, self.last["id"] if self.last is not None else None)

    def _connect(self, target: str) -> None:
        if not self._started:
            self._begin(target)
        for data, field in self._open:
            data[field] = target
        self._started = True

    def _begin(self, target: str | None) -> None:
        self._first = target
        if self.key is not None:
            self.draft.enter_at(self.key, target)
