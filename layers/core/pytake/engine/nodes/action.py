from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct, structs

from pytake.engine.effect_actions import EffectAct, EffectAction, StartFlowAction, compile_effect_action
from pytake.engine.execution import CompiledNode, Execution, NodeHandlers
from pytake.engine.facts import Appended, Computed, Constant, SetLanguage
from pytake.engine.filters import FILTERS
from pytake.engine.limits import CONSENT_SOURCE_CHARACTERS, LABEL_CHARACTERS, LIST_ITEMS
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import NodeData, node_type
from pytake.engine.rendering import getter
from pytake.engine.template import Calculation, Expression
from pytake.engine.texts import language_code


class SetVariableAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="set_variable"):
    """Store a value."""

    variable: str
    value: Any = None


class AddAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="add"):
    """Add `by` (a number or a template) to the number in a variable. A variable without a value counts as 0."""

    variable: str
    by: float | str = 1


class AppendAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="append"):
    """Add a value at the end of the list in a variable. A list with `most` items stays as it is."""

    variable: str
    value: Any = None
    most: int = LIST_ITEMS


class SaveContactAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="save_contact"):
    """Save fields of the contact for all later conversations: one (`field`, `value`) or several (`fields`)."""

    field: str | None = None
    value: Any = None
    fields: dict[str, Any] | None = None


class AddTagAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="add_tag"):
    """Tag the contact."""

    tag: str


class RemoveTagAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="remove_tag"):
    """Remove a tag from the contact."""

    tag: str


class SetLanguageAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="set_language"):
    """Set the contact's language, a code such as `pt_BR`. The following texts, and those of later turns, are in it."""

    language: str


class SetConsentAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="set_consent"):
    """Record that the contact grants or withdraws consent to `utility` or `marketing` templates.

    `source` says how, as the proof; without it, the source names the flow. Consent that changed later stays as it is.
    """

    purpose: Literal["utility", "marketing"]
    state: Literal["granted", "withdrawn"]
    source: str | None = None


class LabelAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="label"):
    """Label the person's message of this turn, for agents (transcript) and reports (lake). A label contains no templates."""

    label: str


class EmitEventAction(Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="emit_event"):
    """Publish an event to integrations: its `name` and any `data`."""

    name: str
    data: dict[str, Any] | None = None


PlainAction = (
    SetVariableAction
    | AddAction
    | AppendAction
    | SaveContactAction
    | AddTagAction
    | RemoveTagAction
    | SetLanguageAction
    | SetConsentAction
    | LabelAction
    | EmitEventAction
)
Action = PlainAction | EffectAction
Act = Callable[[Execution], None]


@node_type("action")
class ActionNode(NodeData):
    """Does things that the person does not see, in order.

    Templates work in every value. A saved field can be read as `{{contact.FIELD}}` immediately. Saved fields, tags, languages,
    consent and emitted events leave the engine as the events `contact_saved`, `tag_added`, `tag_removed`, `language_set`,
    `consent_set` and `event_emitted`.
    """

    actions: list[Action]
    next_node_id: str | None = None

    def starts_flows(self) -> list[str]:
        """The ids of the flows that its actions start."""
        return [action.flow_id for action in self.actions if isinstance(action, StartFlowAction)]

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the actions."""
        acts = [
            compile_effect_action(action, build, index)
            if isinstance(action, EffectAction)
            else _compile(action, build, f"actions[{index}]")
            for index, action in enumerate(self.actions)
        ]
        actions = [act for act in acts if not isinstance(act, EffectAct)]
        build.facts.effects = len(acts) - len(actions)
        following, step = build.target(self.next_node_id, "next_node_id"), build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            for act in actions:
                act(run)
            run.path.append(step)
            return following

        if build.facts.effects:
            return _pausing(acts, following, build, leads_on=bool(self.next_node_id))
        if self.next_node_id and any(isinstance(action, SetLanguageAction) for action in self.actions):
            return NodeHandlers(
                lambda run: node if (node := enter(run)) is None else run.nodes[node.flow_id, node.node_id]
            )
        return NodeHandlers(enter)


def _pausing(acts: list[Act | EffectAct], following: CompiledNode, build: NodeBuild, *, leads_on: bool) -> NodeHandlers:
    """The handlers of a node whose turn pauses for each action with an effect, and goes on behind it."""
    node, step = build.node, build.step("next")

    def go_on(run: Execution, position: int) -> CompiledNode | None:
        for index in range(position, len(acts)):
            act = acts[index]
            if isinstance(act, EffectAct):
                request = act.request(run)
                if request is None:
                    run.effect_result = None
                    act.finish(run)
                    continue
                run.at, run.attempts = node, index
                run.request_effect(node, request)
                return None
            act(run)
        run.attempts = 0
        run.path.append(step)
        # In the language that an action may have set.
        return run.nodes[following.flow_id, following.node_id] if leads_on else following

    def result(run: Execution) -> CompiledNode | None:
        act = acts[run.attempts]
        if isinstance(act, EffectAct):
            act.finish(run)
        return go_on(run, run.attempts + 1)

    def enter(run: Execution) -> CompiledNode | None:
        return go_on(run, 0)

    return NodeHandlers(enter, answer=enter, result=result)


def _compile(action: PlainAction, build: NodeBuild, field: str) -> Act:
    match action:
        case SetVariableAction():
            get = build.stored_value(action.value, f"{field}.value")
            store = build.variable(action.variable, f"{field}.variable", source=Constant(action.value))
            return lambda run: store(run, get(run))
        case AddAction():
            return _add(action, build, field)
        case AppendAction():
            return _append(action, build, field)
        case SaveContactAction():
            return _save_contact(action, build, field)
        case AddTagAction():
            tag = build.rendering(action.tag, f"{field}.tag")
            return lambda run: _tag(run, tag(run).strip(), added=True)
        case RemoveTagAction():
            tag = build.rendering(action.tag, f"{field}.tag")
            return lambda run: _tag(run, tag(run).strip(), added=False)
        case SetLanguageAction():
            return _set_language(action, build, field)
        case SetConsentAction():
            return _set_consent(action, build, field)
        case LabelAction():
            return _label(action.label, build, f"{field}.label")
        case EmitEventAction():
            name = build.rendering(action.name, f"{field}.name")
            data = build.value(action.data or {}, f"{field}.data")
            return lambda run: _emit(run, name(run), data(run))


def _add(action: AddAction, build: NodeBuild, field: str) -> Act:
    by = str(int(action.by) if isinstance(action.by, float) and action.by.is_integer() else action.by)
    amount = build.amount(by, f"{field}.by")
    counter = Expression((action.variable,), ((FILTERS["default"].apply, (0,)),))
    found = Calculation("+", counter, amount)
    get = getter(found, build.place(f"{field}.by"))
    store = build.variable(action.variable, f"{field}.variable", source=Computed(found))
    return lambda run: store(run, get(run))


def _append(action: AppendAction, build: NodeBuild, field: str) -> Act:
    if not 0 < action.most <= LIST_ITEMS:
        build.problem("invalid_value", f"{field}.most", f"Enter a number from 1 to {LIST_ITEMS}.")
    get, name, most = build.value(action.value, f"{field}.value"), action.variable, action.most
    store = build.variable(name, f"{field}.variable", source=Appended(action.value))

    def append(run: Execution) -> None:
        old = run.variables.get(name)
        items = old if isinstance(old, list) else [] if old is None or old == "" else [old]
        if len(items) >= most:
            run.emit("value_too_large", name=name, limit=most)
        else:
            store(run, [*items, get(run)])

    return append


def _emit(run: Execution, name: str, data: Any) -> None:
    if run.check_size(data, name):
        run.emit("event_emitted", name=name, data=data)


def _save_contact(action: SaveContactAction, build: NodeBuild, field: str) -> Act:
    fields = dict(action.fields or {})
    if action.field:
        fields[action.field] = action.value
    if not fields:
        build.problem("missing_field", f"{field}.field", "This action saves nothing. Enter a `field` and its `value`.")
    for name in fields:
        if name in ("id", "phone", "tags"):
            build.problem("invalid_value", f"{field}.field", f"A flow cannot change `{name}`. Use another field.")
    getters = {name: build.value(value, f"{field}.value") for name, value in fields.items()}

    def save(run: Execution) -> None:
        for name, get in getters.items():
            run.save_contact(name, get(run))

    return save


def _label(label: str, build: NodeBuild, field: str) -> Act:
    if not 0 < len(label.strip()) <= LABEL_CHARACTERS or "{{" in label:
        message = f"A label is a fixed text of 1 to {LABEL_CHARACTERS} characters, because reports contain no answers."
        build.problem("invalid_value", field, message)
    return lambda run: run.emit("message_labeled", label=label.strip())


def _set_consent(action: SetConsentAction, build: NodeBuild, field: str) -> Act:
    source, otherwise = build.rendering(action.source or "", f"{field}.source"), f"flow:{build.flow_id}"
    purpose, state = action.purpose, action.state

    def set_consent(run: Execution) -> None:
        said = source(run).strip()[:CONSENT_SOURCE_CHARACTERS] or otherwise
        run.emit("consent_set", purpose=purpose, state=state, source=said)

    return set_consent


def _set_language(action: SetLanguageAction, build: NodeBuild, field: str) -> Act:
    language, speeches = build.template(action.language, f"{field}.language"), build.speeches
    if isinstance(language, str):
        code = language_code(language)
        if code is None:
            message = f"`{language}` is not a language code. Enter one such as pt_BR, en or es."
            build.problem("invalid_value", f"{field}.language", message)
        build.facts.languages.append(SetLanguage(code or "", f"{field}.language"))
    get = build.rendering(action.language, f"{field}.language")

    def set_language(run: Execution) -> None:
        code = language_code(get(run))
        if code is None or code == run.contact.language:
            return  # what is not a language code changes nothing
        run.contact = structs.replace(run.contact, language=code)
        run.nodes = speeches.of(code).nodes
        run.emit("language_set", language=code)

    return set_language


def _tag(run: Execution, tag: str, *, added: bool) -> None:
    tags = run.contact.tags
    if not tag or (tag in tags) is added:
        return
    run.contact = structs.replace(run.contact, tags=[*tags, tag] if added else [one for one in tags if one != tag])
    run.emit("tag_added" if added else "tag_removed", tag=tag)
