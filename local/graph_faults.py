"""Faults that the simulated WhatsApp commits on request, to see what the product makes of them."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Kind = Literal[
    "error", "hang", "cut_before", "cut_after", "drop_status", "fail_status", "delay_status", "duplicate_webhook"
]


class Fault(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One rule.

    What `kind` does: `error` answers a send with Meta's error `code` under the HTTP `status`; `hang` waits `seconds`
    and goes on; `cut_before` cuts the connection and takes nothing; `cut_after` takes the message and cuts the
    connection, so that the sender cannot know; `drop_status` sends no statuses for a message, or not the one named by
    `state`; `fail_status` takes the message and reports it as failed with `code`; `delay_status` reports `seconds`
    later; `duplicate_webhook` posts a webhook twice.

    It applies `times` times (None: until it is removed), and only to `phone` and `phone_number_id` where they are
    given.
    """

    kind: Kind
    times: int | None = None
    phone: str | None = None
    phone_number_id: str | None = None
    code: int = 131000
    status: int = 500
    seconds: float = 30.0
    state: str | None = None
    is_transient: bool | None = None
    retry_after: int | None = None


class Faults:
    """The rules in force, in order; the first that fits is used."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    @property
    def rules(self) -> list[Fault]:
        """What is still to be committed; `times` counts down."""
        return list(self._rules)

    def replace(self, rules: list[Fault]) -> None:
        """Forget the rules in force and take these."""
        self._rules = [rule for rule in rules if rule.times is None or rule.times > 0]
        for rule in self._rules:
            rule.phone = rule.phone.lstrip("+") if rule.phone else None

    def consume(
        self, *kinds: Kind, phone: str | None, phone_number_id: str, states: Sequence[str] = ()
    ) -> Fault | None:
        """The first rule of one of `kinds` that fits, counted as used; None when nothing shall go wrong.

        `states` are the statuses about to be reported, for rules that name one.
        """
        for rule in self._rules:
            if (
                rule.kind in kinds
                and rule.phone in (None, phone)
                and rule.phone_number_id in (None, phone_number_id)
                and (rule.state is None or rule.state in states)
            ):
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times <= 0:
                        self._rules.remove(rule)
                return rule
        return None
