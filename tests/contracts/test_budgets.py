"""The contract of the `BudgetLedger` port: a month's sum never passes its limit."""

import random

import pytest

from pytake.campaigns.ports import BudgetLedger, ReservedBudget

NOVEMBER = "2026-11"


def test_what_is_reserved_stays_within_the_limit(budget_ledger: BudgetLedger) -> None:
    assert budget_ledger.reserved("acme", NOVEMBER) == ReservedBudget()
    assert budget_ledger.reserve("acme", NOVEMBER, "a", 60, 100) == ReservedBudget(60)
    assert budget_ledger.reserve("acme", NOVEMBER, "b", 41, 100) is None
    assert budget_ledger.reserve("acme", NOVEMBER, "b", 40, 100) == ReservedBudget(100)
    assert budget_ledger.reserve("acme", NOVEMBER, "c", 1, 100) is None
    assert budget_ledger.reserve("acme", "2026-12", "c", 100, 100) == ReservedBudget(100)
    assert budget_ledger.reserve("globex", NOVEMBER, "a", 101, 100) is None
    assert budget_ledger.reserve("globex", NOVEMBER, "a", 0, 0) == ReservedBudget(0)
    assert budget_ledger.reserved("acme", NOVEMBER).micros == 100


def test_the_same_id_reserves_once(budget_ledger: BudgetLedger) -> None:
    budget_ledger.reserve("acme", NOVEMBER, "a", 60, 100)
    assert budget_ledger.reserve("acme", NOVEMBER, "a", 60, 100) == ReservedBudget(60)
    assert budget_ledger.reserve("acme", NOVEMBER, "a", 60, 10) == ReservedBudget(60)
    assert budget_ledger.reserve("globex", NOVEMBER, "a", 60, 100) == ReservedBudget(60)


def test_what_an_id_has_reserved_is_known(budget_ledger: BudgetLedger) -> None:
    assert budget_ledger.reservation("acme", "a") is None
    budget_ledger.reserve("acme", NOVEMBER, "a", 60, 100)
    assert budget_ledger.reservation("acme", "a") == 60
    budget_ledger.settle("acme", "a", 25)
    assert budget_ledger.reservation("acme", "a") == 25


def test_what_was_not_used_is_given_back_once(budget_ledger: BudgetLedger) -> None:
    budget_ledger.reserve("acme", NOVEMBER, "a", 60, 100)
    budget_ledger.reserve("acme", NOVEMBER, "b", 40, 100)
    budget_ledger.settle("acme", "a", 25)
    budget_ledger.settle("acme", "a", 0)
    budget_ledger.settle("acme", "unknown", 0)
    assert budget_ledger.reserved("acme", NOVEMBER).micros == 65
    budget_ledger.settle("acme", "b", 90)
    assert budget_ledger.reserved("acme", NOVEMBER).micros == 65
    assert budget_ledger.reserve("acme", NOVEMBER, "a", 30, 100) == ReservedBudget(65), (
        "it was settled, and is not reserved again"
    )
    assert budget_ledger.reserve("acme", NOVEMBER, "c", 35, 100) == ReservedBudget(100)


def test_a_warning_is_remembered(budget_ledger: BudgetLedger) -> None:
    budget_ledger.reserve("acme", NOVEMBER, "a", 60, 100)
    budget_ledger.note_warning("acme", NOVEMBER)
    assert budget_ledger.reserved("acme", NOVEMBER) == ReservedBudget(60, True)
    assert budget_ledger.reserve("acme", NOVEMBER, "b", 10, 100) == ReservedBudget(70, True)


@pytest.mark.parametrize("seed", range(5))
def test_no_order_of_reservations_passes_the_limit(budget_ledger: BudgetLedger, seed: int) -> None:
    chance, used, open_ = random.Random(seed), 0, dict[str, int]()  # noqa: S311
    for step in range(60):
        name, micros = f"r{chance.randrange(40)}", chance.randrange(1, 30)
        if chance.random() < 0.3 and open_:
            name = chance.choice(sorted(open_))
            spent = chance.randrange(open_[name] + 1)
            budget_ledger.settle("acme", name, spent)
            used += spent - open_.pop(name)
        elif name not in open_ and budget_ledger.reserve("acme", NOVEMBER, f"{name}.{step}", micros, 200) is not None:
            open_[f"{name}.{step}"] = micros
            used += micros
        assert budget_ledger.reserved("acme", NOVEMBER).micros == used <= 200
