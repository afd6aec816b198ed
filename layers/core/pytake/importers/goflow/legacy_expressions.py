"""The expressions of RapidPro before spec 13 (`@flow.color.category`, `@(UPPER(contact.name))`), written in goflow's language."""

import re

from pytake.importers.goflow.expressions import (
    Call,
    Literal,
    Node,
    Operation,
    Path,
    SyntaxProblemError,
    parse_text,
)

_TOP_LEVELS = frozenset({"channel", "contact", "date", "extra", "flow", "step", "parent", "child", "new_contact"})
_FILTERS = {
    "lower_case": "lower",
    "upper_case": "upper",
    "title_case": "title",
    "capitalize": "title",
    "read_digits": "text",
}
_FILTERED = re.compile(r"@(\w+(?:\.\w+)*)\|(\w+)")
_ADDRESSES = frozenset(
    ["tel", "tel_e164", "mailto", "whatsapp", "telegram", "twitter", "facebook", "ext", "viber", "line"]
)
_OWN_FIELDS = frozenset(["uuid", "id", "name", "first_name", "created_on", "language"])
_PARTS = {"value": "", "category": ".category", "text": ".input", "time": ".created_on"}
_DATES = {"today": "format_date(today())", "now": "now()"}
_DATES |= {
    "tomorrow": 'format_date(datetime_add(now(), 1, "D"))',
    "yesterday": 'format_date(datetime_add(now(), -1, "D"))',
}
_RENAMED = {
    "average": "mean", "datedif": "datetime_diff", "datevalue": "datetime", "fixed": "format_number", "int": "round_down",
    "len": "length", "proper": "title", "randbetween": "rand_between", "regex_group": "regex_match", "rept": "repeat",
    "roundup": "round_up", "rounddown": "round_down", "trunc": "round_down", "substitute": "replace", "unichar": "char",
    "unicode": "code", "timevalue": "parse_datetime", "format_date": "format_datetime",
}  # fmt: skip
_FORMATS = {"day": "D", "month": "M", "year": "YYYY", "hour": "tt", "minute": "m", "second": "s"}
_PRECEDENCE = {"=": 1, "!=": 1, "<": 2, ">": 2, "<=": 2, ">=": 2, "&": 3, "+": 4, "-": 4, "*": 5, "/": 5, "^": 6}


def migrate_template(text: str, *, encoded: bool = False) -> str:
    """A template in goflow's language. `encoded`: its values are part of a URL."""
    text = _FILTERED.sub(lambda found: f"@({_FILTERS.get(found[2], 'text')}({found[1]}))", text)
    try:
        parts = parse_text(text, _TOP_LEVELS)
    except SyntaxProblemError:
        return text
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts).replace("@", "@@")
    return "".join(part.replace("@", "@@") if isinstance(part, str) else _expression(part, encoded) for part in parts)


def _expression(node: Node, encoded: bool) -> str:
    written = _written(node)
    if encoded:
        return f"@(url_encode({written}))"
    return f"@{written}" if re.fullmatch(r"[a-z]\w*(\.\w+)*", written) else f"@({written})"


def _written(node: Node) -> str:
    match node:
        case Literal(value):
            return (
                '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
                if isinstance(value, str)
                else str(value).lower()
            )
        case Path(parts):
            return _context(parts)
        case Operation(operator, left, right):
            return _operation(operator, left, right)
        case Call(name, arguments):
            return _call(name.lower(), arguments)
    return '""'


def _operation(operator: str, left: Node | None, right: Node) -> str:
    if operator == "+" and left is not None:
        return f"legacy_add({_written(left)}, {_written(right)})"
    if operator == "-" and left is not None and _is_date(left):
        return f"legacy_add({_written(left)}, -({_written(right)}))"
    sides = [_inside(side, operator) for side in (left, right) if side is not None]
    return f" {operator} ".join(sides) if left is not None else f"-{sides[0]}"


def _inside(node: Node, operator: str) -> str:
    written = _written(node)
    low = isinstance(node, Operation) and _PRECEDENCE.get(node.operator, 0) <= _PRECEDENCE.get(operator, 0)
    return f"({written})" if low else written


def _is_date(node: Node) -> bool:
    return (isinstance(node, Path) and node.parts[0] == "date") or (
        isinstance(node, Call) and node.name.lower() in ("now", "today", "date", "datevalue", "edate")
    )


def _call(name: str, arguments: tuple[Node, ...]) -> str:
    written = [_written(argument) for argument in arguments]
    if name == "concatenate":
        return "(" + " & ".join(written) + ")"
    if name == "sum":
        total = written[0] if written else "0"
        for one in written[1:]:
            total = f"legacy_add({total}, {one})"
        return total
    if name in ("first_word", "word", "word_slice", "field") and written:
        return _words(name, arguments, written)
    if name in _FORMATS and len(written) == 1:
        return f'format_datetime({written[0]}, "{_FORMATS[name]}")'
    if name == "edate" and len(written) == 2:
        return f'datetime_add({written[0]}, {written[1]}, "M")'
    if name == "days" and len(written) == 2:
        return f'datetime_diff({written[1]}, {written[0]}, "D")'
    if name in ("true", "false") and not written:
        return name
    if name == "power" and len(written) == 2:
        return f"({written[0]}) ^ ({written[1]})"
    return f"{_RENAMED.get(name, name)}({', '.join(written)})"


def _words(name: str, arguments: tuple[Node, ...], written: list[str]) -> str:
    """Positions counted from 1 in the old language."""
    if name == "first_word":
        return f"word({written[0]}, 0)"
    changed = [written[0]]
    for at, argument in enumerate(arguments[1:], 1):
        counts = at == 1 or (at == 2 and name == "word_slice")
        number = argument.value if isinstance(argument, Literal) else None
        if counts and isinstance(number, int | float) and not isinstance(number, bool):
            changed.append(str(int(number) - 1 if number > 0 else int(number)))
        elif name != "field" and not counts:
            changed.append('" \\t"' if written[at] == "true" else "null")
        else:
            changed.append(written[at])
    return f"{name}({', '.join(changed)})"


def _context(parts: tuple[str, ...]) -> str:
    """A name of the old language in the new one."""
    head, rest = parts[0], parts[1:]
    if head in ("flow", "step") and rest[:1] == ("contact",):
        return _contact("", rest[1:])
    if head in ("parent", "child") and rest[:1] == ("contact",):
        return _contact(f"{head}.", rest[1:])
    if head == "contact":
        return _contact("", rest)
    if head in ("flow", "child", "parent") or parts[:2] == ("extra", "flow"):
        if head == "extra":
            head, rest = "parent", rest[1:]
        prefix = "" if head == "flow" else f"{head}."
        if not rest:
            return f"{prefix}results"
        if len(rest) > 1 and rest[1] not in _PARTS:
            return f"{prefix}results.{'.'.join(rest)}"
        return f"{prefix}results.{rest[0]}{_PARTS.get(rest[1], '') if len(rest) > 1 else ''}"
    if head == "step":
        return {"time": "input.created_on", "attachments": "input.attachments"}.get(
            rest[0] if rest else "", "input.text"
        )
    if head == "date":
        return _DATES.get(rest[0] if rest else "now", "now()")
    if head == "extra":
        return ".".join(("legacy_extra", *rest))
    if head == "channel":
        return "contact.channel.name" if rest == ("name",) else "contact.channel.address"
    return ".".join(parts)


def _contact(prefix: str, rest: tuple[str, ...]) -> str:
    if not rest:
        return f"{prefix}contact"
    if rest[0] in ("tel_e164",) or (rest[0] in _ADDRESSES and rest[1:] == ("path",)):
        return "urn_parts(urns.tel).path"
    if rest[0] in _ADDRESSES:
        return f"format_urn(urns.{rest[0]})"
    if rest[0] == "groups":
        return 'join(contact.groups, ",")'
    if rest[0] in _OWN_FIELDS:
        return f"{prefix}contact.{rest[0]}"
    return f"fields.{rest[0]}"
