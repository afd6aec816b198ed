"""Ids and variable names made of the texts of a source."""

import re
import unicodedata

_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")
_RESERVED = frozenset({"contact", "input", "secrets", "now", "today", "answers", "constants", "flow", "true", "false"})


def slug(text: str, default: str, longest: int = 40) -> str:
    """A text as an id of lower-case letters, digits and `_`: `Qual é o seu nome?` becomes `qual_e_o_seu_nome`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _SEPARATORS.sub("_", plain.strip().lower()).strip("_")[:longest].strip("_") or default


def variable_name(text: str, default: str = "value") -> str:
    """A text as the name of a variable: never a built-in name, and it starts with a letter."""
    name = slug(text, default)
    if name in _RESERVED or not name[0].isalpha():
        name = f"my_{name}"
    return name


class UniqueNames:
    """Gives each name once: the second `menu` becomes `menu_2`."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """The name, or the name with the first free number."""
        candidate, number = name, 1
        while candidate in self._taken:
            number += 1
            candidate = f"{name}_{number}"
        self._taken.add(candidate)
        return candidate

    def release(self, name: str) -> None:
        """Let a name be taken again."""
        self._taken.discard(name)
