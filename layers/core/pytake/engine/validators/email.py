"""E-mail addresses."""

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.limits import EMAIL_CHARACTERS
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, lengths, typed_text

_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-")


@validator("email")
def email(validation: Validation, build: NodeBuild) -> Check:
    """An e-mail address (the dot-atom form of RFC 5321) with a top-level domain. The domain is stored in lower case."""
    least, most = lengths(validation, build)
    longest = min(most or EMAIL_CHARACTERS, EMAIL_CHARACTERS)

    def check(run: Execution) -> object:
        answer = typed_text(run.input)
        if answer is None or not least <= len(answer) <= longest:
            return REFUSED
        return address(answer) or REFUSED

    return check


def address(text: str) -> str | None:
    """The address in its stored form; None if the text is not an e-mail address."""
    local, at, domain = text.rpartition("@")
    if not at or not 0 < len(local) <= 64 or not _LOCAL.issuperset(local):
        return None
    if local[0] == "." or local[-1] == "." or ".." in local:
        return None
    domain = domain.lower()
    labels = domain.split(".")
    top = labels[-1]
    if len(labels) < 2 or len(top) < 2 or not (top.isalpha() or top.startswith("xn--")):
        return None
    for label in labels:
        if not 0 < len(label) <= 63 or label[0] == "-" or label[-1] == "-":
            return None
        if not label.replace("-", "a").isalnum():
            return None
    return f"{local}@{domain}"
