"""What the names in goflow's expressions mean in PyTake: `@results.color`, `@contact.fields.age`, `@child.results.x`."""

from pytake.importers.goflow.bundle import Bundle, SourceFlow, key_of
from pytake.importers.goflow.expressions import TOP_LEVELS
from pytake.importers.goflow.translation import UntranslatableError, Written
from pytake.importers.names import variable_name

_VALUES = frozenset({"value", "values", "0"})
_CATEGORIES = frozenset({"category", "category_localized", "categories", "categories_localized"})
_CONTACT = {"name": "contact.name", "uuid": "contact.id", "id": "contact.id", "language": "contact.language"}
_CONTACT |= {"display": "contact.name", "phone": "contact.phone", "bsp_status": "contact.bsp_status"}
_NOT_KEPT = frozenset(
    {"channel", "created_on", "last_seen_on", "timezone", "status", "tickets", "ticket", "inserted_at"}
)


class Context:
    """The names that one flow can use."""

    def __init__(self, bundle: Bundle, flow: SourceFlow, webhook: str = "webhook") -> None:
        self._bundle = bundle
        self._source = flow
        self.webhook = webhook

    def resolve(self, parts: tuple[str, ...]) -> Written:
        """The value of a name. Raises UntranslatableError."""
        head, rest = parts[0], parts[1:]
        method = getattr(self, f"_{head}", None)
        if head not in TOP_LEVELS or method is None:
            raise UntranslatableError(f"PyTake does not know `@{'.'.join(parts)}`.")
        found: Written = method(rest)
        return found

    def result(self, flow: SourceFlow, rest: tuple[str, ...]) -> Written:
        """The value of a result of a flow, or a part of it."""
        if not rest:
            raise UntranslatableError("PyTake has no expression for all results of another flow.")
        if rest == ("*",):
            return Written(
                constant={key: {"name": key, "value": "{{" + name + "}}"} for key, name in flow.results.items()}
            )
        name = flow.results.get(key_of(rest[0])) or variable_name(rest[0])
        part = rest[1] if len(rest) > 1 else "value"
        if part in _VALUES:
            return Written(name)
        if part in _CATEGORIES:
            return Written(f"{name}_category")
        if part == "input":
            return Written(f"{name}_input")
        if part == "extra":
            return Written(".".join((f"{name}_extra", *rest[2:])))
        if part in ("name", "node_uuid"):
            return Written(constant=rest[0])
        if part == "created_on":
            return Written("now")
        return Written(".".join((name, *rest[1:])))

    def _results(self, rest: tuple[str, ...]) -> Written:
        return self.result(self._source, rest)

    def _run(self, rest: tuple[str, ...]) -> Written:
        if rest[:1] == ("results",):
            return self.result(self._source, rest[1:])
        if rest[:1] == ("contact",):
            return self._contact(rest[1:])
        if rest == ("status",):
            return Written(constant="active")
        if rest in (("flow",), ("flow", "name")):
            return Written(constant=self._source.name)
        if rest == ("flow", "uuid"):
            return Written(constant=self._source.key)
        raise UntranslatableError(f"PyTake does not know `@run.{'.'.join(rest)}`.")

    def _flow(self, rest: tuple[str, ...]) -> Written:
        return self._run(("flow", *rest))

    def _child(self, rest: tuple[str, ...]) -> Written:
        return self._relative(rest, self._source.children, "child")

    def _parent(self, rest: tuple[str, ...]) -> Written:
        return self._relative(rest, self._source.parents, "parent")

    def _relative(self, rest: tuple[str, ...], keys: list[str], which: str) -> Written:
        if rest[:1] in (("contact",), ("fields",), ("urns",)):
            return self.resolve(rest)
        if rest[:1] == ("run",):
            rest = rest[1:]
        if rest == ("status",):
            return Written(f"{which}_status")
        flows = [self._bundle.flows[key] for key in keys]
        if rest in (("flow",), ("flow", "name")) and len(flows) == 1:
            return Written(constant=flows[0].name)
        if rest[:1] == ("results",) and len(rest) > 1:
            owner = next((flow for flow in flows if key_of(rest[1]) in flow.results), None)
            if owner is not None:
                return self.result(owner, rest[1:])
        raise UntranslatableError(f"No {which} flow of this export sets `@{which}.{'.'.join(rest)}`.")

    def _contact(self, rest: tuple[str, ...]) -> Written:
        if not rest:
            return Written("contact.name")
        if rest[0] in ("fields", "urns"):
            return self.resolve(rest)
        if rest[0] in _NOT_KEPT:
            raise UntranslatableError(f"PyTake does not keep `@contact.{'.'.join(rest)}`.")
        if rest[0] == "first_name":
            return Written("contact.name", " | first_name")
        if rest[0] == "groups":
            return Written("contact.tags") if len(rest) == 1 else Written("contact.tags", " | first")
        if rest[0] == "urn":
            return self._urns(("tel",))
        return Written(_CONTACT.get(rest[0]) or "contact." + variable_name(rest[0]))

    def _fields(self, rest: tuple[str, ...]) -> Written:
        if not rest:
            raise UntranslatableError("PyTake has no expression for all fields of a contact.")
        return Written("contact." + variable_name(rest[0]))

    def _urns(self, rest: tuple[str, ...]) -> Written:
        if rest[:1] in (("tel",), ("whatsapp",)):
            return Written("contact.phone")
        if rest:
            return Written(constant="")
        raise UntranslatableError("A contact has one address in PyTake, its phone number.")

    def _input(self, rest: tuple[str, ...]) -> Written:
        if rest in ((), ("text",)):
            return Written("input.text")
        if rest == ("created_on",):
            return Written("now")
        if rest in (("attachments",), ("attachments", "0")):
            return Written("input.media_id")
        raise UntranslatableError(f"PyTake does not know `@input.{'.'.join(rest)}`.")

    def _trigger(self, rest: tuple[str, ...]) -> Written:
        if rest[:1] == ("params",) and len(rest) > 1:
            return Written(".".join((variable_name(rest[1]), *rest[2:])))
        if rest in (("keyword",), ("params",)):
            return Written("input.text") if rest == ("keyword",) else self._missing_params()
        raise UntranslatableError(f"PyTake does not know `@trigger.{'.'.join(rest)}`.")

    def _missing_params(self) -> Written:
        raise UntranslatableError("PyTake has no expression for all parameters of a flow.")

    def _globals(self, rest: tuple[str, ...]) -> Written:
        if not rest:
            raise UntranslatableError("PyTake has no expression for all constants of an organization.")
        return Written("constants." + variable_name(rest[0]))

    _global = _globals

    def _locals(self, rest: tuple[str, ...]) -> Written:
        if not rest:
            raise UntranslatableError("PyTake has no expression for all variables.")
        return Written(".".join((variable_name(f"local_{rest[0].lstrip('_')}"), *rest[1:])))

    def _webhook(self, rest: tuple[str, ...]) -> Written:
        if rest[:1] == ("status",):
            return Written(f"{self.webhook}_status")
        if rest[:1] == ("json",):
            rest = rest[1:]
        if rest[:1] == ("headers",):
            raise UntranslatableError("PyTake does not keep the headers of a response.")
        return Written(".".join((self.webhook, *rest)))

    def _legacy_extra(self, rest: tuple[str, ...]) -> Written:
        return Written(".".join((self.webhook, *rest)))

    def _node(self, rest: tuple[str, ...]) -> Written:
        if rest == ("visit_count",):
            return Written("node_visits")
        raise UntranslatableError(f"PyTake does not know `@node.{'.'.join(rest)}`.")

    def _resume(self, rest: tuple[str, ...]) -> Written:
        raise UntranslatableError(f"PyTake does not know `@resume.{'.'.join(rest)}`.")

    def _ticket(self, rest: tuple[str, ...]) -> Written:
        raise UntranslatableError(f"PyTake does not know `@ticket.{'.'.join(rest)}`.")

    def _calendar(self, rest: tuple[str, ...]) -> Written:
        dates = {"current_date": ' | date("DD/MM/YYYY")', "yesterday": ' | add_time("-1 days") | date("DD/MM/YYYY")'}
        dates |= {"tomorrow": ' | add_time("1 days") | date("DD/MM/YYYY")', "current_day": ' | date("dddd")'}
        dates |= {"current_month": ' | date("MMMM")', "current_year": ' | date("YYYY")'}
        if len(rest) == 1 and rest[0] in dates:
            return Written("now", dates[rest[0]])
        raise UntranslatableError(f"PyTake does not know `@calendar.{'.'.join(rest)}`.")
