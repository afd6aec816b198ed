"""Store and change the sequences of an organization."""

from datetime import time
from functools import partial

from msgspec.structs import replace

from pytake.conversation.change_log import Author
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.media.kinds import FileKinds, file_problems, names_file
from pytake.conversation.opening import StartRefusedError, check_parameters, startable
from pytake.conversation.plan_opening import check_expressions
from pytake.conversation.ports.common import until_written
from pytake.conversation.ports.sequences import Sequences
from pytake.conversation.ports.tenants import TenantRepository, UnknownNumberError
from pytake.conversation.sequences.records import Sequence

SEQUENCES = 50
"""What an organization can have: each change of a contact reads all of them."""


class SequenceUnknownError(Exception):
    """The organization has no such sequence."""


class SequencesFullError(Exception):
    """The organization has as many sequences as it can have."""


class ManageSequences:
    """The use cases behind `/api/v1/sequences`."""

    def __init__(
        self, sequences: Sequences, tenants: TenantRepository, flows: FlowLibrary, file_kinds: FileKinds
    ) -> None:
        self._file_kinds = file_kinds
        self._sequences = sequences
        self._tenants = tenants
        self._flows = flows

    def all(self, organization_id: str) -> list[Sequence]:
        """The organization's sequences, by id."""
        return self._sequences.all(organization_id)

    def get(self, organization_id: str, sequence_id: str) -> Sequence:
        """A sequence. Raises `SequenceUnknownError`."""
        found = self._sequences.get(organization_id, sequence_id)
        if found is None:
            raise SequenceUnknownError(sequence_id)
        return found

    def put(self, organization_id: str, sequence: Sequence, author: Author) -> Sequence:
        """Create or replace a sequence; the contacts that have its date already are planned by the next runs of the job.

        Raises `UnknownNumberError`, `StartRefusedError` when a step can never start (`flow_unknown`, `parameter_missing`,
        `parameters_too_large`, `media_unknown`, `media_unsupported`), `FlowError` when an expression in a template is not valid,
        `ValueError` for a time of day that is not valid, `SequencesFullError`, and `ConflictError`.
        """
        number = self._tenants.number(sequence.phone_number_id)
        if number is None or number.organization_id != organization_id:
            raise UnknownNumberError(sequence.phone_number_id)
        for step in sequence.steps:
            if step.at is not None:
                time.fromisoformat(step.at)
            check_parameters(step.start)
            if step.start.flow_id is not None:
                startable(self._flows, organization_id, step.start)
            if step.start.template is not None:
                check_expressions(step.start.template, list(step.start.parameters))
                for found in file_problems(self._file_kinds, organization_id, step.start.template.components):
                    raise StartRefusedError(found.code)

        def write() -> Sequence:
            known = {one.id: one for one in self._sequences.all(organization_id)}
            before = known.get(sequence.id)
            if before is None and len(known) >= SEQUENCES:
                raise SequencesFullError
            new = replace(sequence, revision=before.revision if before is not None else 0)
            if new == before:
                return new
            plan = new.enabled and new.field is not None
            return self._sequences.put(organization_id, new, plan=plan, author=author)

        return until_written(write, "the sequence")

    def plan_again(self, organization_id: str) -> None:
        """Plan the dates of all contacts once more: the organization's time zone has changed, so some are due earlier."""

        def again(sequence_id: str) -> None:
            known = self._sequences.get(organization_id, sequence_id)
            if known is not None and known.enabled and known.field is not None:
                self._sequences.put(organization_id, known, plan=True)

        for sequence in self._sequences.all(organization_id):
            until_written(partial(again, sequence.id), "the sequence")

    def sending(self, organization_id: str, file_id: str) -> list[str]:
        """The ids of the sequences that are switched on and send a library file with a template."""
        found = [one for one in self._sequences.all(organization_id) if one.enabled]
        return [
            one.id
            for one in found
            if any(
                step.start.template is not None and names_file(step.start.template.components, file_id)
                for step in one.steps
            )
        ]

    def delete(self, organization_id: str, sequence_id: str, author: Author) -> None:
        """Remove a sequence. Its follow-ups are not sent. Raises `SequenceUnknownError`."""
        self.get(organization_id, sequence_id)
        self._sequences.delete(organization_id, sequence_id, author)
