"""Drafts, publishing and rollback. Published versions are immutable; publish and rollback move a pointer."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.flow_names import listed_name
from pytake.conversation.media.kinds import FileKinds
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.templates import Templates
from pytake.conversation.ports.tenants import (
    DraftChangedError,
    ExpectedDraft,
    Flows,
    FlowSecretStore,
    FlowSecretsUnreadableError,
    TenantRepository,
)
from pytake.conversation.records import FlowMetadata, FlowSummary, FlowVersion, StoredDraft
from pytake.engine import Completion, Problem, Surroundings, inspect_flow, jump_targets, validate
from pytake.engine.document import read_document, required_parameters, started_flows
from pytake.whatsapp.templates import MessageTemplate

_FILE_IDS = re.compile(rb'"(file-[0-9a-f]{32})"')


class UnknownFlowError(Exception):
    """The organization has no such flow, or the flow has no such version."""


class NotPublishableError(Exception):
    """The draft has errors. `problems` lists them together with the warnings."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


class Draft(Struct, frozen=True):
    """A saved draft with its problems. Each save has a new `revision`."""

    flow_id: str
    stored: StoredDraft
    problems: list[Problem]


class FlowAuthoring:
    """The use cases of builders for flows. Every method works inside one organization."""

    def __init__(
        self,
        flows: Flows,
        secrets: FlowSecretStore,
        tenants: TenantRepository,
        templates: Templates,
        clock: Clock,
        *,
        sends_email: bool | None = None,
        file_kinds: FileKinds | None = None,
    ) -> None:
        """`file_kinds` tells the kinds of those of the library files that the organization has."""
        self._sends_email = sends_email
        self._file_kinds = file_kinds
        self._templates = templates
        self._flows = flows
        self._tenants = tenants
        self._secrets = secrets
        self._clock = clock

    def save_draft(
        self,
        organization_id: str,
        flow_id: str,
        document: dict[str, Any],
        expected: ExpectedDraft | None = None,
        saved_by: str = "",
    ) -> Draft:
        """Save the document as the flow's draft, also with errors: work in progress is not lost.

        Raises `DraftChangedError` when the stored draft is not the `expected` one, unless it equals this document: then the
        request was repeated because its answer was lost.
        """
        document = {**document, "id": flow_id}
        try:
            now = self._clock()
            revision = self._flows.put_draft(organization_id, document, now, expected, saved_by)
            stored = StoredDraft(document, revision, now, saved_by)
        except DraftChangedError:
            there = self._flows.draft(organization_id, flow_id)
            if there is None or there.document != document:
                raise
            stored = there
        return self._checked(organization_id, flow_id, stored)

    def draft(self, organization_id: str, flow_id: str) -> Draft:
        """The saved draft with its current problems. Raises `UnknownFlowError`."""
        return self._checked(organization_id, flow_id, self._stored(organization_id, flow_id))

    def inspect(
        self, organization_id: str, document: dict[str, Any], others: Mapping[str, dict[str, Any]]
    ) -> tuple[list[Problem], Completion]:
        """The problems of any document, and what an editor can offer; nothing is stored.

        `others` are drafts of the flows that its jumps enter, by id. For those that are missing, the published flows count.
        """
        bundle = self.bundle(organization_id, document, others)
        return inspect_flow(bundle, str(document.get("id")), self._surroundings(organization_id, bundle))

    def publish(
        self, organization_id: str, flow_id: str, published_by: str, expected: int | None = None
    ) -> tuple[FlowVersion, list[Problem]]:
        """Publish the draft as the next version for new sessions; returns the version and its warnings.

        The version contains the currently published sub-flows that it jumps to (ADR 0003). When the published version already
        equals the draft, it stays. Raises `UnknownFlowError`, `DraftChangedError` when the draft's revision is not the
        `expected` one, `NotPublishableError`, and `ConflictError` when another version was published at the same moment.
        """
        stored = self._stored(organization_id, flow_id)
        if expected not in (None, stored.revision):
            raise DraftChangedError(stored.revision)
        document = stored.document
        documents = self.bundle(organization_id, document)
        problems = self._check(organization_id, documents, flow_id)
        if any(problem.severity == "error" for problem in problems):
            raise NotPublishableError(problems)
        summary = self._flows.summary(organization_id, flow_id)
        if (same := self._published(organization_id, summary, documents)) is not None:
            return same, problems
        version = FlowVersion(
            flow_id=flow_id,
            version=(summary.latest_version if summary else 0) + 1,
            documents=documents,
            published_at=self._clock(),
            published_by=published_by,
            sub_flows=sorted(documents.keys() - {flow_id}),
        )
        try:
            self._flows.publish(organization_id, version, listed_name(document))
        except ConflictError:
            summary = self._flows.summary(organization_id, flow_id)
            if (same := self._published(organization_id, summary, documents)) is None:
                raise
            return same, problems
        return version, problems

    def rollback(self, organization_id: str, flow_id: str, version: int, by: str) -> FlowSummary:
        """Use an earlier or later version for new sessions. Raises `UnknownFlowError`."""
        summary = self._flows.summary(organization_id, flow_id)
        if summary is None or not 1 <= version <= summary.latest_version:
            raise UnknownFlowError(f"{flow_id} version {version}")
        now = self._clock()
        self._flows.point_to(organization_id, flow_id, version, now, by)
        return replace(summary, published_version=version, updated_at=now, updated_by=by, last_change="rolled_back")

    def file(self, organization_id: str, flow_id: str, metadata: FlowMetadata, by: str) -> FlowSummary:
        """Put a flow into a folder, tag it, archive it. Raises `UnknownFlowError`."""
        summary, now = self.known(organization_id, flow_id), self._clock()
        self._flows.put_metadata(organization_id, flow_id, metadata, now, by)
        return replace(summary, metadata=metadata, updated_at=now, updated_by=by, last_change="filed")

    def duplicate(self, organization_id: str, flow_id: str, new_id: str, name: str | None, by: str) -> Draft:
        """Save the draft under a new id, in the same folder and with the same tags.

        Raises `UnknownFlowError`, and `DraftChangedError` if a draft with the new id exists and is another one.
        """
        document = self._stored(organization_id, flow_id).document
        copied = self.save_draft(organization_id, new_id, document | ({"name": name} if name else {}), "none", by)
        summary = self._flows.summary(organization_id, flow_id)
        if summary is not None and (summary.metadata.folder or summary.metadata.tags):
            metadata = replace(summary.metadata, archived=False)
            self._flows.put_metadata(organization_id, new_id, metadata, self._clock(), by)
        return copied

    def bundle(
        self, organization_id: str, document: dict[str, Any], others: Mapping[str, dict[str, Any]] | None = None
    ) -> dict[str, dict[str, Any]]:
        """The document and every document that its jumps reach, by id: of `others`, otherwise the published one.

        The prover reports missing ones.
        """
        bundle = {str(document.get("id")): document}
        waiting = [document]
        while waiting:
            for target in sorted(_targets(waiting.pop())):
                if target in bundle:
                    continue
                if others and target in others:
                    bundle[target] = others[target]
                    waiting.append(bundle[target])
                    continue
                summary = self._flows.summary(organization_id, target)
                if summary is None or summary.published_version is None:
                    continue
                stored = self._flows.version(organization_id, target, summary.published_version)
                if stored is not None:
                    bundle[target] = stored.documents[target]
                    waiting.append(bundle[target])
        return bundle

    def known(self, organization_id: str, flow_id: str) -> FlowSummary:
        """The flow as the list shows it. Raises `UnknownFlowError`."""
        summary = self._flows.summary(organization_id, flow_id)
        if summary is None:
            raise UnknownFlowError(flow_id)
        return summary

    def _stored(self, organization_id: str, flow_id: str) -> StoredDraft:
        stored = self._flows.draft(organization_id, flow_id)
        if stored is None:
            raise UnknownFlowError(flow_id)
        return stored

    def _checked(self, organization_id: str, flow_id: str, stored: StoredDraft) -> Draft:
        problems = self._check(organization_id, self.bundle(organization_id, stored.document), flow_id)
        return Draft(flow_id, stored, problems)

    def _published(
        self, organization_id: str, summary: FlowSummary | None, documents: dict[str, dict[str, Any]]
    ) -> FlowVersion | None:
        """The published version, if it consists of exactly these documents."""
        if summary is None or summary.published_version is None:
            return None
        version = self._flows.version(organization_id, summary.flow_id, summary.published_version)
        return version if version is not None and version.documents == documents else None

    def _check(self, organization_id: str, documents: dict[str, dict[str, Any]], root: str) -> list[Problem]:
        return validate(documents, root, self._surroundings(organization_id, documents))

    def _surroundings(self, organization_id: str, documents: dict[str, dict[str, Any]]) -> Surroundings:
        organization = self._tenants.organization(organization_id)
        return Surroundings(
            self._secret_hosts(organization_id, documents),
            organization.timetables,
            organization.constants,
            self._startable(organization_id, documents),
            self._message_templates(organization_id, documents),
            self._sends_email,
            self._files(organization_id, documents),
        )

    def _files(self, organization_id: str, documents: dict[str, dict[str, Any]]) -> Mapping[str, str] | None:
        """The kinds of the library files that the documents name, looked up only if there are some."""
        if self._file_kinds is None:
            return None
        ids = {id_.decode() for id_ in _FILE_IDS.findall(msgspec.json.encode(documents))}
        return self._file_kinds(organization_id, ids) if ids else {}

    def _message_templates(
        self, organization_id: str, documents: dict[str, dict[str, Any]]
    ) -> list[MessageTemplate] | None:
        """The templates of the organization's accounts, read only when a document may send one.

        None unless the list of each account was copied: a template that is missing in the copy could exist.
        """
        if b'"template"' not in msgspec.json.encode(documents):
            return None
        accounts = {number.waba_id for number in self._tenants.numbers(organization_id)}
        found: list[MessageTemplate] = []
        for waba_id in accounts:
            if waba_id is None or self._templates.listed_at(organization_id, waba_id) is None:
                return None
            copies = self._templates.of_account(organization_id, waba_id)
            found += [copy.template for copy in copies if not copy.is_deleted]
        return found if accounts else None

    def _startable(self, organization_id: str, documents: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
        """The published flows that the documents start, with their required parameters."""
        found: dict[str, list[str]] = {}
        for flow_id in sorted(set().union(*map(_started, documents.values()))):
            summary = self._flows.summary(organization_id, flow_id)
            if summary is None or summary.published_version is None:
                continue
            stored = self._flows.version(organization_id, flow_id, summary.published_version)
            document = read_document(stored.documents[flow_id])[0] if stored is not None else None
            if document is not None:
                found[flow_id] = required_parameters(document)
        return found

    def _secret_hosts(
        self, organization_id: str, documents: dict[str, dict[str, Any]]
    ) -> dict[str, tuple[str, ...]] | None:
        """The hosts of the stored secrets by name, read only when a document may use one; None when they are unreadable."""
        if b"secrets" not in msgspec.json.encode(documents):
            return None
        try:
            return self._secrets.hosts(organization_id)
        except FlowSecretsUnreadableError:
            return None  # reported when a secret is stored; publishing does not depend on it


def _targets(document: dict[str, Any]) -> set[str]:
    """The targets of the readable jumps: an unreadable node does not hide the targets of others."""
    found, _ = read_document(document)
    return jump_targets(found) if found is not None else set()


def _started(document: dict[str, Any]) -> set[str]:
    """The flows that the document starts for others."""
    found, _ = read_document(document)
    return started_flows(found) if found is not None else set()
