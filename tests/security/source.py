"""The product's own source, parsed, and the rules that hold for it. A rule yields what breaks it, as `file:line: what`."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PRODUCT = ("layers/core/pytake", "functions")
"""What runs in the account of a deployment."""

LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
LOGGER = re.compile(r"\b_?log(ger)?(\(\))?$")
SECRET_NAME = re.compile(r"secret|token|signature|password|digest|hmac", re.IGNORECASE)
PERSONAL = {
    "body",
    "caption",
    "contact",
    "contact_id",
    "event",
    "from",
    "input",
    "item",
    "message",
    "name",
    "number",
    "payload",
    "phone",
    "profile_name",
    "raw",
    "recipient_id",
    "record",
    "request",
    "text",
    "to",
    "token",
    "url",
    "user_id",
    "variables",
    "wa_id",
}
"""Names of what people wrote, of who they are, and of things that hold either."""

FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_MODULES = {
    "dill",
    "marshal",
    "pickle",
    "shelve",
    "subprocess",
    "telnetlib",
    "xml",
    "yaml",  # documents are JSON; its loader makes objects
}
SQL = re.compile(r"\b(select\b.*\bfrom|insert\s+into|update\b.*\bset|delete\s+from|create\s+table)\b", re.I | re.S)

TEXT_BUILDERS = ("format", "format_map", "join", "replace", "substitute")


@dataclass(frozen=True)
class Module:
    """A parsed file; `path` is relative to the repository."""

    path: str
    tree: ast.Module

    @classmethod
    def of(cls, text: str, path: str = "example.py") -> "Module":
        """Parse a text."""
        return cls(path, ast.parse(text))

    def found(self, node: ast.AST, what: str) -> str:
        """A finding at a place."""
        return f"{self.path}:{getattr(node, 'lineno', 0)}: {what}"


@cache
def product() -> list[Module]:
    """Every module that runs in a function."""
    files = sorted(file for folder in PRODUCT for file in (REPOSITORY / folder).rglob("*.py"))
    return [Module.of(file.read_text(), str(file.relative_to(REPOSITORY))) for file in files]


def compared_secrets(module: Module) -> Iterator[str]:
    """`==`, `!=` and `in` take longer the more of a secret is right: `hmac.compare_digest` does not."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Compare):
            continue
        if not all(isinstance(operator, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for operator in node.ops):
            continue
        sides = [node.left, *node.comparators]
        named = [side for side in sides if any(SECRET_NAME.search(_name(inner)) for inner in ast.walk(side))]
        # With a constant of the program (an enum's member, None, a word) there is nothing to guess.
        if named and not any(_is_constant(side) for side in sides):
            yield module.found(node, f"compares {ast.unparse(node)}")


def formatted_sql(module: Module) -> Iterator[str]:
    """SQL stands in files and takes its values as parameters; it is never put together from parts."""
    for node in ast.walk(module.tree):
        f_string = isinstance(node, ast.JoinedStr) and any(isinstance(part, ast.FormattedValue) for part in node.values)
        operator = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod)
        builder = isinstance(node, ast.Call) and _name(node.func) in TEXT_BUILDERS
        if (f_string or operator or builder) and SQL.search(" ".join(_texts(node))):
            yield module.found(node, f"builds SQL: {ast.unparse(node)[:80]}")


def told_in_logs(module: Module) -> Iterator[str]:
    """A log line has a constant name and fields that hold ids and codes."""
    for node in ast.walk(module.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS):
            continue
        if not LOGGER.search(ast.unparse(node.func.value)):
            continue
        if not node.args or not _is_name_of_event(node.args[0]):
            yield module.found(node, f"logs a text that is not constant: {ast.unparse(node)[:80]}")
        for extra in node.args[1:]:
            yield module.found(node, f"logs {ast.unparse(extra)}")
        for keyword in node.keywords:
            yield from _personal(module, node, keyword.arg, keyword.value)


def told_to_operators(module: Module) -> Iterator[str]:
    """Operator events are logged and leave the account's borders: the same holds for what they tell."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        called = _name(node.func)
        if called == "_tell":
            for keyword in node.keywords:
                yield from _personal(module, node, keyword.arg, keyword.value)
        if called in ("OperatorEvent", "_tell"):
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                for inner in ast.walk(argument):
                    if isinstance(inner, ast.Dict):
                        for key, value in zip(inner.keys, inner.values, strict=True):
                            name = key.value if isinstance(key, ast.Constant) else None
                            yield from _personal(module, node, str(name) if name else None, value)


def swallowed_errors(module: Module) -> Iterator[str]:
    """An unexpected error is logged or re-raised."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and _is_everything(node.type) and not _tells(node):
            yield module.found(node, "swallows every exception")
        if isinstance(node, ast.Call) and _name(node.func) == "suppress" and any(map(_is_everything, node.args)):
            yield module.found(node, "suppresses every exception")


def dangerous_calls(module: Module) -> Iterator[str]:
    """Nothing that people, flows or queues bring is run, unpickled or given to a shell; TLS is always checked."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
                yield module.found(node, f"calls {node.func.id}")
            if ast.unparse(node.func) in ("os.system", "os.popen", "ssl._create_unverified_context"):
                yield module.found(node, f"calls {ast.unparse(node.func)}")
            for keyword in node.keywords:
                if keyword.arg == "verify" and isinstance(keyword.value, ast.Constant) and not keyword.value.value:
                    yield module.found(node, "does not check certificates")
        for name in _imported(node):
            if name.partition(".")[0] in FORBIDDEN_MODULES:
                yield module.found(node, f"imports {name}")


RULES = {
    rule.__name__: rule
    for rule in (
        compared_secrets,
        formatted_sql,
        told_in_logs,
        told_to_operators,
        swallowed_errors,
        dangerous_calls,
    )
}


def _personal(module: Module, node: ast.AST, name: str | None, value: ast.expr) -> Iterator[str]:
    if name in PERSONAL:
        yield module.found(node, f"tells {name}")
    elif _name(value) in PERSONAL and not isinstance(value, ast.Call):
        yield module.found(node, f"tells {ast.unparse(value)} as {name}")


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(_is_constant(part) for part in node.elts)
    return isinstance(node, ast.Constant) or _name(node).isupper()


def _is_name_of_event(node: ast.expr) -> bool:
    """A constant, or the type of an operator event, which is one."""
    return isinstance(node, ast.Constant) or ast.unparse(node) == "event.type"


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return _name(function)
        case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
            return f"{_name(value)}.{key}"
        case ast.Await(value=value) | ast.Subscript(value=value):
            return _name(value)
        case _:
            return ""


def _texts(node: ast.AST) -> list[str]:
    return [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant) and isinstance(inner.value, str)]


def _is_everything(node: ast.expr | None) -> bool:
    if node is None:
        return True
    if isinstance(node, ast.Tuple):
        return any(_is_everything(part) for part in node.elts)
    return _name(node) in ("Exception", "BaseException")


def _tells(handler: ast.ExceptHandler) -> bool:
    """Something is called or raised, or the error itself is handed on."""
    inside = [inner for part in handler.body for inner in ast.walk(part)]
    used = any(isinstance(inner, ast.Name) and inner.id == handler.name for inner in inside)
    return used or any(isinstance(inner, ast.Call | ast.Raise) for inner in inside)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
