"""The flows of an organization as a builder works on them: drafts, versions, what others did meanwhile. Over the REST API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

from local.console.api import Api, ApiProblem
from local.console.flow_text import FlowText, pretty
from pytake.engine import jump_targets
from pytake.engine.document import read_document

Json = dict[str, Any]

_CHANGED = ("draft_changed", "draft_exists")


class ChangedMeanwhileError(Exception):
    """Another person saved this draft after it was opened here; `theirs` is their version."""

    def __init__(self, theirs: "Saved") -> None:
        super().__init__("the draft was changed meanwhile")
        self.theirs = theirs


class Saved(NamedTuple):
    """A draft as the API has it. `tag` (its `ETag`) tells it from every other one."""

    document: Json
    tag: str


@dataclass
class Draft:
    """A flow on the desk. `saved` is the draft as the API has it, as far as is known here; None when it has none yet.
    `tag` is that of the draft which the text began with: saving replaces that one and no other. None: it began with nothing.
    """

    flow_id: str
    text: str
    saved: Json | None = None
    tag: str | None = None
    published_version: int | None = None
    latest_version: int = 0

    @property
    def changed(self) -> bool:
        """Whether there is something to save. Text that is not JSON was never saved."""
        document = FlowText(self.text).document
        return document is None or not same(document, self.saved, self.flow_id)

    def begin_with(self, there: Saved) -> None:
        """The text has been brought together with this draft of the API."""
        self.saved, self.tag = there


@dataclass
class FlowShelf:
    """Asks for everything about flows. Every method may raise `ApiProblem`."""

    api: Api
    _versions: dict[tuple[str, int], Json] = field(default_factory=dict)

    async def flows(self) -> list[Json]:
        """Return the organization's flows, by name."""
        found: list[Json] = await self.api.get("flows")
        return sorted(found, key=lambda flow: (str(flow["name"]).casefold(), flow["flow_id"]))

    async def open(self, flow_id: str, flows: list[Json]) -> Draft:
        """Take a flow's draft onto the desk; `flows` says what of it is published."""
        saved = await self._saved(flow_id)
        draft = Draft(flow_id, pretty(saved.document), *saved)
        entry = next((flow for flow in flows if flow["flow_id"] == flow_id), None)
        if entry is not None:
            draft.published_version, draft.latest_version = entry["published_version"], entry["latest_version"]
        return draft

    async def theirs(self, draft: Draft) -> Saved | None:
        """Return the draft of the API if it says something else than the one this began with."""
        try:
            there = await self._saved(draft.flow_id)
        except ApiProblem as problem:
            if problem.kind != "unknown":
                raise
            return None
        return None if same(there.document, draft.saved, draft.flow_id) else there

    async def save(self, draft: Draft, document: Json, over: Saved | None = None) -> list[Json]:
        """Save a draft and return its problems.

        Raises `ChangedMeanwhileError` when the API has another draft than the one this began with, or than the one that it
        shall be saved `over`, no matter who saved it and when.
        """
        tag = over.tag if over is not None else draft.tag
        headers = {"If-Match": tag} if tag is not None else {"If-None-Match": "*"}
        answer = await self._change(draft, "PUT", "", headers, document)
        found = answer.json()
        draft.begin_with(Saved(found["document"], answer.headers["ETag"]))
        problems: list[Json] = found["problems"]
        return problems

    async def publish(self, draft: Draft) -> Json:
        """Publish what is saved unless another person saved since; return the version.

        Raises `ChangedMeanwhileError` when the API has another draft.
        """
        headers = {"If-Match": draft.tag} if draft.tag is not None else {}
        version: Json = (await self._change(draft, "POST", "/publish", headers)).json()
        draft.published_version = draft.latest_version = version["version"]
        return version

    async def _change(
        self, draft: Draft, method: str, what: str, headers: dict[str, str], body: Json | None = None
    ) -> httpx.Response:
        """Ask for something that is done to the expected draft alone. Raises `ChangedMeanwhileError` with another one."""
        try:
            return await self.api.request(method, f"flows/{draft.flow_id}{what}", body, headers=headers)
        except ApiProblem as problem:
            if problem.code not in _CHANGED:
                raise
            raise ChangedMeanwhileError(await self._saved(draft.flow_id)) from None

    async def _saved(self, flow_id: str) -> Saved:
        answer = await self.api.request("GET", f"flows/{flow_id}")
        return Saved(answer.json()["document"], answer.headers["ETag"])

    async def roll_back(self, draft: Draft, version: int) -> None:
        """Give new conversations another version."""
        entry = await self.api.post(f"flows/{draft.flow_id}/rollback", {"version": version})
        draft.published_version, draft.latest_version = entry["published_version"], entry["latest_version"]

    async def versions(self, flow_id: str) -> list[Json]:
        """Return the published versions, the newest first; none of a flow that was never saved."""
        try:
            found: list[Json] = await self.api.get(f"flows/{flow_id}/versions")
        except ApiProblem as problem:
            if problem.kind != "unknown":
                raise
            return []
        return found

    async def version(self, flow_id: str, version: int) -> Json:
        """Return a version with its documents. It never changes, so it is asked for once."""
        if (flow_id, version) not in self._versions:
            self._versions[flow_id, version] = await self.api.get(f"flows/{flow_id}/versions/{version}")
        return self._versions[flow_id, version]

    async def neighbours(self, document: Mapping[str, Any], flows: list[Json]) -> dict[str, Json]:
        """Return the published flows that a document's jumps reach, as publishing would pin them, by id."""
        published = {flow["flow_id"]: flow["published_version"] for flow in flows}
        found: dict[str, Json] = {}
        waiting = [document]
        while waiting:
            for target in sorted(_targets(waiting.pop())):
                version = published.get(target)
                if version is not None and target not in found and target != document.get("id"):
                    found[target] = (await self.version(target, version))["document"]
                    waiting.append(found[target])
        return found

    async def secret_hosts(self) -> dict[str, list[str]] | None:
        """Return the hosts of the stored secrets by name; None when that cannot be said."""
        try:
            return {secret["name"]: secret["hosts"] for secret in await self.api.get("secrets")}
        except ApiProblem:
            return None  # the prover then says nothing of secrets


def same(one: Json | None, other: Json | None, flow_id: str) -> bool:
    """Whether two documents are the same flow. The API adds the id where it is left out."""
    if one is None or other is None:
        return one is other
    return {**one, "id": flow_id} == {**other, "id": flow_id}


def empty_flow(flow_id: str, name: str, language: str) -> Json:
    """Return a flow that does next to nothing and has no problems."""
    hello, bye = (
        ("Olá! Como posso ajudar?", "Até logo!") if language == "pt_BR" else ("Hi! How can I help?", "Goodbye!")
    )
    question = {"question": hello, "variable": "request", "next_node_id": "end"}
    return {
        "format": 1,
        "id": flow_id,
        "name": name,
        "language": language,
        "start_node_id": "start",
        "nodes": [
            {"id": "start", "type": "start", "data": {"next_node_id": "request"}},
            {"id": "request", "type": "question", "data": question},
            {"id": "end", "type": "end", "data": {"message": bye}},
        ],
    }


def _targets(document: Mapping[str, Any]) -> set[str]:
    """What the jumps enter that can be read: one unreadable node makes no other flow unknown."""
    found, _ = read_document(dict(document))
    return jump_targets(found) if found is not None else set()
