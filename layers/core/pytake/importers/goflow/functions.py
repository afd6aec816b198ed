"""The functions of goflow's expressions that need more than one filter of PyTake."""

import re

from pytake.importers.goflow.expressions import Call, Function, Literal, Node, Operation, Path
from pytake.importers.goflow.translation import (
    Draw,
    ExpressionTranslator,
    UntranslatableError,
    Written,
    argument,
)

_UNITS = {"Y": "years", "M": "months", "W": "weeks", "D": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DATE_TOKENS = re.compile(r"YYYY|YY|MMMM|MMM|MM|M|DD|D|EEEE|EEE|tt|hh|h|mm|m|ss|s|aa|AA|ZZZ|ZZ|Z|[A-Za-z]+")
_DATE_NAMES = {"EEEE": "dddd", "EEE": "ddd", "tt": "HH", "aa": "a", "AA": "A", "ZZZ": "Z", "Z": "Z", "ZZ": "ZZ"}
_WORD_MARKS = ".,!?;:"
_NOTHING, _ZERO, _TWO, _YES, _LAST = Literal(None), Literal(0), Literal(2), Literal(True), Literal(-1)
_USUAL = Literal("DD-MM-YYYY tt:mm")


class Translator(ExpressionTranslator):
    """Translates expressions with goflow's functions. Positions count from 0 there, and from 1 here."""

    def function(self, name: str, arguments: tuple[Node, ...]) -> Written | None:
        """The value of a function; None if it is not one of these."""
        if name not in _SPECIAL:
            return None
        least, most = _SPECIAL[name]
        if not least <= len(arguments) <= most:
            return self.missing(name)
        found: Written = getattr(self, f"_{name}")(*arguments)
        return found

    def _default(self, value: Node, instead: Node) -> Written:
        fixed = self.value(instead)
        if not fixed.is_constant:
            return self.chosen(Call("is_error", (value,)), instead, value)
        return self.piped(value, f"default({argument(fixed.constant)})")

    def _if(self, test: Node, yes: Node, no: Node) -> Written:
        return self.chosen(test, yes, no)

    def _or_else(self, value: Node, instead: Node) -> Written:
        return self._default(value, instead)

    def _at(self, values: Node, index: Node) -> Written:
        """An item of a list, counted from 0."""
        match index:
            case Operation("-", left, Literal(1)) if left is not None:
                position = self.variable(self.value(left))
            case Literal(int() as number):
                return Written(f"{self.variable(self.value(values))}.{number}")
            case _:
                position = self.stored(Written(f"{self.term(index)} + 1").template)
        return Written(self.stored("{{" + self.variable(self.value(values)) + f" | item({position})" + "}}"))

    def _round(self, value: Node, digits: Node = _ZERO) -> Written:
        return self.piped(value, f"round({self.fixed_int(digits)})")

    def _format_number(self, value: Node, digits: Node = _TWO, _: Node = _YES) -> Written:
        return self.piped(value, f"decimals({self.fixed_int(digits)})")

    def _percent(self, value: Node) -> Written:
        share = self.stored(Written(f"{self.term(value)} * 100", " | round").template)
        return Written(self.stored("{{" + share + "}}%"))

    def _max(self, *values: Node) -> Written:
        return Written(self.stored([self.value(value).template for value in values]), " | max")

    def _min(self, *values: Node) -> Written:
        return Written(self.stored([self.value(value).template for value in values]), " | min")

    def _mean(self, *values: Node) -> Written:
        total = self.stored([self.value(value).template for value in values])
        return Written(f"{self.stored('{{' + total + ' | sum}}')} / {len(values)}")

    def _array(self, *values: Node) -> Written:
        return Written(self.stored([self.value(value).template for value in values]))

    def _object(self, *pairs: Node) -> Written:
        names = [self.fixed_text(name) for name in pairs[::2]]
        values = [self.value(value).template for value in pairs[1::2]]
        return Written(self.stored(dict(zip(names, values, strict=False))))

    def _rand_between(self, first: Node, last: Node) -> Written:
        least, most = self.fixed_int(first), self.fixed_int(last)
        if not 0 < most - least < 20:
            raise UntranslatableError("PyTake draws one of at most 20 values at random.")
        name = self.new_name("value")
        self.steps.append(Draw(name, list(range(least, most + 1))))
        return Written(name)

    def _word(self, value: Node, index: Node, by: Node = _NOTHING) -> Written:
        number = self.fixed_int(index)
        marks = _WORD_MARKS if self.value(by).constant is None else ""
        text = self._spaced(value, marks)
        return text.piped(f"word({number + 1 if number >= 0 else number})")

    def _spaced(self, value: Node, marks: str) -> Written:
        found = self.piped(value, "trim")
        for mark in marks:
            found = found.piped(f'replace("{mark}", " ")')
        return found

    def _word_count(self, value: Node, _: Node = _NOTHING) -> Written:
        return self.piped(value, "words").piped("length")

    def _word_slice(self, value: Node, start: Node, end: Node = _LAST, _: Node = _NOTHING) -> Written:
        first, last = self.fixed_int(start), self.fixed_int(end)
        if last == first + 1:
            return self._word(value, start)
        if last >= 0 or not 0 <= first < 10:
            raise UntranslatableError("PyTake has no expression for some words in the middle of a text.")
        found = self.piped(value, "trim")
        for _word in range(first):
            found = found.piped("remove_first_word")
        return found

    def _slice(self, value: Node, start: Node, end: Node) -> Written:
        items = self.value(value).constant
        if not isinstance(items, list):
            raise UntranslatableError("PyTake has no expression for a part of a list.")
        return Written(constant=items[self.fixed_int(start) : self.fixed_int(end)])

    def _prompt(self, name: Node, categories: Node) -> Written:
        """The instructions that goflow gives to a model that sorts a text into categories."""
        names = self.value(categories).constant
        if self.fixed_text(name) != "categorize" or not isinstance(names, list):
            raise UntranslatableError("PyTake does not know this prompt.")
        listed = ", ".join(map(str, names))
        text = "Categorize the following text into one of the following categories and only return that category"
        return Written(constant=f"{text} or <CANT> if you can't: {listed}")

    def _field(self, value: Node, index: Node, by: Node) -> Written:
        mark = self.fixed_text(by)
        parts = "words" if mark == " " else f"split({argument(mark)})"
        return self.piped(value, parts).piped(f"item({self.fixed_int(index) + 1})")

    def _split(self, value: Node, by: Node) -> Written:
        return self.piped(value, f"split({argument(self.fixed_text(by))})")

    def _join(self, value: Node, by: Node) -> Written:
        return self.piped(value, f"join({argument(self.fixed_text(by))})")

    def _replace(self, value: Node, old: Node, new: Node, _: Node = _LAST) -> Written:
        return self.piped(value, f"replace({argument(self.fixed_text(old))}, {argument(self.fixed_text(new))})")

    def _left(self, value: Node, count: Node) -> Written:
        return self.piped(value, f"slice(1, {self.fixed_int(count)})")

    def _text_slice(self, value: Node, start: Node, end: Node = _NOTHING, _: Node = _NOTHING) -> Written:
        first, last = self.fixed_int(start), self.value(end).constant
        if first < 0 or (last is not None and (not isinstance(last, int) or last < 0)):
            raise UntranslatableError("PyTake has no expression for a part counted from the end of a text.")
        return self.piped(value, f"slice({first + 1})" if last is None else f"slice({first + 1}, {last})")

    def _format_date(self, value: Node, form: Node = _NOTHING, _: Node = _NOTHING) -> Written:
        pattern = self.value(form).constant
        return self.piped(value, f"date({argument(_date_pattern(str(pattern)))})" if pattern else "date")

    def _format_datetime(self, value: Node, form: Node = _USUAL, _: Node = _NOTHING) -> Written:
        return self._format_date(value, form)

    def _now(self) -> Written:
        return Written("now")

    def _today(self) -> Written:
        return Written("today")

    def _datetime_add(self, value: Node, amount: Node, unit: Node) -> Written:
        name = _UNITS.get(self.fixed_text(unit))
        if name is None:
            raise UntranslatableError("The unit of a time cannot be computed.")
        count = self.value(amount)
        if count.is_constant:
            return self.piped(value, f'add_time("{self.fixed_int(amount)} {name}")')
        return self.piped(value, f'add_time({self.variable(count)}, "{name}")')

    def _datetime_diff(self, first: Node, second: Node, unit: Node) -> Written:
        if isinstance(first, Call) and first.name in ("now", "today") and self.fixed_text(unit) == "D":
            return self.piped(second, "days_until")
        raise UntranslatableError("PyTake has no expression for the time between two dates.")

    def _legacy_add(self, first: Node, second: Node) -> Written:
        dates = ("now", "today", "datetime_add", "datetime", "date")
        if isinstance(first, Call) and first.name in dates:
            return self._datetime_add(first, second, Literal("D"))
        return self.operation("+", first, second)

    def _format_urn(self, urn: Node) -> Written:
        if isinstance(urn, Path) and urn.parts[-1] in ("tel", "whatsapp", "urn"):
            return Written("contact.phone", " | phone")
        raise UntranslatableError("A contact has one address in PyTake, its phone number.")

    def _urn_parts(self, urn: Node) -> Written:
        if isinstance(urn, Path) and urn.parts[-1] in ("tel", "whatsapp", "urn"):
            return Written("contact.phone")
        raise UntranslatableError("A contact has one address in PyTake, its phone number.")

    def _format_location(self, value: Node) -> Written:
        return self.piped(value, 'split(">")').piped("last")

    def _extract(self, value: Node, name: Node) -> Written:
        return self.property_of(value, self.fixed_text(name))

    def _foreach(self, values: Node, function: Node, name: Node = _NOTHING) -> Written:
        if isinstance(function, Path) and function.parts == ("extract",):
            return self._mapped(values, self.fixed_text(name))
        match function:
            case Function((parameter,), Call("extract", (Path((used,)), Literal(str() as part)))) if used == parameter:
                return self._mapped(values, part)
            case Function((parameter,), Path((used, part))) if used == parameter:
                return self._mapped(values, part)
        raise UntranslatableError("PyTake has no expression for a function over a list.")

    def _mapped(self, values: Node, part: str) -> Written:
        if isinstance(values, Path) and values.parts == ("contact", "groups"):
            return self.value(values)
        return self.piped(values, f"map({argument(part)})")


_SPECIAL = {
    "default": (2, 2), "if": (3, 3), "round": (1, 2), "format_number": (1, 3), "percent": (1, 1), "max": (1, 50),
    "min": (1, 50), "mean": (1, 50), "array": (0, 50), "object": (0, 100), "rand_between": (2, 2), "word": (2, 3),
    "slice": (3, 3), "prompt": (2, 2), "word_count": (1, 2), "word_slice": (2, 4), "field": (3, 3), "split": (2, 2),
    "join": (2, 2), "replace": (3, 4), "left": (2, 2), "text_slice": (2, 4), "format_date": (1, 3),
    "format_datetime": (1, 3), "now": (0, 0), "today": (0, 0), "datetime_add": (3, 3), "datetime_diff": (3, 3),
    "legacy_add": (2, 2), "format_urn": (1, 1), "or_else": (2, 2), "at": (2, 2), "urn_parts": (1, 1),
    "format_location": (1, 1), "extract": (2, 2), "foreach": (2, 3),
}  # fmt: skip


def _date_pattern(pattern: str) -> str:
    def token(found: re.Match[str]) -> str:
        name = found[0]
        return _DATE_NAMES.get(name, name) if name in _DATE_NAMES or name[0] in "YMDhms" else f"[{name}]"

    return _DATE_TOKENS.sub(token, pattern)
