"""Faults that the simulated WhatsApp injects on request."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

Kind = Literal[
    "error", "hang", "cut_before", "cut_after", "drop_status", "fail_status", "delay_status", "duplicate_webhook"
]


class Fault(Struct, omit_defaults=True, forbid_unknown_fields=True):
    """One rule.

    `kind` says what happens: `error` answers a send with Meta's error `code` and the HTTP `status`; `hang` waits
    `seconds`, then continues; `cut_before` closes the connection without accepting the message; `cut_after` accepts the
    message and closes the connection, so that the sender does not know the outcome; `drop_status` posts no statuses for
    a message, or all but `state`; `fail_status` accepts the message and reports that it failed with `code`;
    `delay_status` reports `seconds` later; `duplicate_webhook` posts a webhook twice.

    The rule applies `times` times (None: until it is removed), and only to `phone` and `phone_number_id` if given.
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
    """The active rules in order; the first that matches is used."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    @property
    def rules(self) -> list[Fault]:
        """The rules that are still active; `times` counts down."""
        return list(self._rules)

    def replace(self, rules: list[Fault]) -> None:
        """Replace all rules."""
        self._rules = [rule for rule in rules if rule.times is None or rule.times > 0]
        for rule in self._rules:
            rule.phone = rule.phone.lstrip("+") if rule.phone else None

    def consume(
        self, *kinds: Kind, phone: str | None, phone_number_id: str, states: Sequence[str] = ()
    ) -> Fault | None:
        """Return the first rule of one of `kinds` that matches and count it as used; None when there is none.

        `states` are the statuses that are about to be posted, for rules that name one.
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
