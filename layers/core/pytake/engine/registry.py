"""The registry of node types and validators. Each of them is one file in `nodes/` or `validators/`."""

import importlib
import os
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, TypeVar

from msgspec import Struct

from pytake.engine.execution import Execution, NodeHandlers
from pytake.engine.node_build import NodeBuild


class NodeData(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The `data` of a node. A node type is a subclass: its fields, `compile`, and the docstring that documents the type.

    `TEXTS` are the places of the texts that people may see, which a flow can translate (`languages`): `buttons.[].label` is the
    label of every button. A place that ends with `?` often needs no translation.
    """

    TEXTS: ClassVar[tuple[str, ...]] = ()

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Check the data and give the functions that the node runs. Reports problems to `build`; never raises."""
        raise NotImplementedError

    def required_parameters(self) -> list[str]:
        """The variables that a jump to this node must pass; only a start has some."""
        return []

    def jumps_to(self) -> str | None:
        """The id of the flow this node enters; None when it stays in its own flow."""
        return None

    def starts_flows(self) -> list[str]:
        """The ids of the flows that it starts for other people."""
        return []


Check = Callable[[Execution], Any]
"""Gives the normalised answer found in the turn's input, or REFUSED."""
CompileCheck = Callable[[Any, NodeBuild], Check]
_N = TypeVar("_N", bound=type[NodeData])
_C = TypeVar("_C", bound=CompileCheck)
_T = TypeVar("_T")

_node_types: dict[str, type[NodeData]] = {}
_validators: dict[str, CompileCheck] = {}


def node_type(name: str) -> Callable[[_N], _N]:
    """Register a NodeData subclass as the node type `name`."""

    def register(kind: _N) -> _N:
        _node_types[name] = kind
        return kind

    return register


def validator(name: str) -> Callable[[_C], _C]:
    """Register a function `(validation, build) -> check` as the validator `name`."""

    def register(compile_check: _C) -> _C:
        _validators[name] = compile_check
        return compile_check

    return register


@cache
def node_types() -> dict[str, type[NodeData]]:
    """Every node type, by name."""
    _import_all("pytake.engine.nodes")
    return _in_order(_node_types)


@cache
def validators() -> dict[str, CompileCheck]:
    """Every validator, by name."""
    _import_all("pytake.engine.validators")
    return _in_order(_validators)


def _in_order(found: dict[str, _T]) -> dict[str, _T]:
    """By module: the order must not depend on what was imported first."""
    return dict(sorted(found.items(), key=lambda item: item[1].__module__))


def _import_all(package: str) -> None:
    # `pkgutil` would import `inspect` and more, a third of the engine's import time.
    folder = importlib.import_module(package).__path__[0]
    names = {name.partition(".")[0] for name in os.listdir(folder) if name.endswith((".py", ".pyc"))}
    for name in sorted(names - {"__init__"}):
        importlib.import_module(f"{package}.{name}")
