"""Whether an abstract value of the prover admits a concrete one."""

from typing import Any

from pytake.engine.conditions import equal
from pytake.engine.prover.abstract_values import ALWAYS, NEVER, NUMBER, AbstractValue, kind_of, scalar
from pytake.engine.values import is_empty


def admits(known: AbstractValue, name: str, variables: dict[str, Any]) -> bool:
    """Whether what the prover knows of a variable allows for what it holds."""
    if not known.assigned & (ALWAYS if name in variables else NEVER):
        return False
    value = variables.get(name)
    if known.values is not None:
        return scalar(value) in known.values if known.exact else any(equal(value, one) for one in known.listed())
    if kind_of(value) not in known.kinds or (known.nonempty and is_empty(value)):
        return False
    if isinstance(value, str):
        return known.shortest <= len(value) <= (known.longest if known.longest is not None else len(value))
    if kind_of(value) == NUMBER:
        return not known.numbers.above(value, open_=False).below(value, open_=False).is_nothing
    return True
