"""Consent against a model: whatever the order, the lateness and the repetitions of changes, the newest one holds."""

from hypothesis import given
from hypothesis import strategies as st

from pytake.contacts.consent import PURPOSES, UNKNOWN, Consent, ConsentChange, Purpose, consent_after

CHANGES = st.lists(
    st.builds(
        ConsentChange,
        purpose=st.sampled_from(PURPOSES),
        state=st.sampled_from(["granted", "withdrawn", "unknown"]),
        source=st.sampled_from(["stop", "form", "meta"]),
        at=st.integers(1, 6).map(float),
    ),
    max_size=12,
)


def model(changes: list[ConsentChange], purpose: Purpose) -> Consent:
    """The state of a purpose, written as the rule reads: look at the latest moment only, prefer a withdrawal."""
    mine = [change for change in changes if change.purpose == purpose]
    if not mine:
        return UNKNOWN
    latest = max(change.at for change in mine)
    last = [change for change in mine if change.at == latest]
    for state in ("withdrawn", "granted", "unknown"):
        sources = sorted(change.source for change in last if change.state == state)
        if sources:
            return Consent(state, sources[-1], latest)  # type: ignore[arg-type]
    raise AssertionError


@given(CHANGES, st.data())
def test_the_newest_change_holds_in_any_order_and_with_repetitions(
    changes: list[ConsentChange], data: st.DataObject
) -> None:
    repeated = changes + data.draw(st.lists(st.sampled_from(changes)) if changes else st.just([]))
    arrived = data.draw(st.permutations(repeated))
    consent: dict[Purpose, Consent] = {}
    for change in arrived:  # one at a time, as they arrive
        consent = consent_after(consent, [change])
    for purpose in PURPOSES:
        assert consent.get(purpose, UNKNOWN) == model(changes, purpose)
    assert consent == consent_after({}, arrived)


@given(CHANGES)
def test_an_older_change_is_never_heard(changes: list[ConsentChange]) -> None:
    newest = ConsentChange("marketing", "withdrawn", "stop", 7.0)
    after = consent_after(consent_after({}, [newest]), changes)
    assert after["marketing"] == Consent("withdrawn", "stop", 7.0)
