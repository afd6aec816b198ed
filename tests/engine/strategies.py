"""Hypothesis strategies: bundles of flow documents, inputs, and results of effects."""

from typing import Any

from hypothesis import strategies as st

from pytake.engine import EffectResult, Input, InputLocation, InputMedia
from pytake.engine.document import read_document
from pytake.engine.translations import shown_texts

VARIABLES = ["a", "b", "c"]
TEXTS = st.sampled_from(
    [
        "Hello",
        "Hello {{a}}!",
        "{{a}}",
        "{{b | upper | default('none')}} and {{input.text}}",
        "{{contact.name | first_name}} {{c.x.0}}",
        "{{a}}{{b}}{{c}}",
        "{{a + b * 2}}",
        "{{(c | default(0)) / a - 1 | round(1)}}",
        "{{a | sum}} {{b | lines('{index}{value}')}} {{c | item(1)}}",
        "{{today | add_time(a, 'days')}}",
        "{{answers}}",
        "{{constants.shop}}, {{a | join(', ')}}",
        "{{now | date('DD/MM/YYYY HH:mm')}} {{b | date('dddd')}}",
        "long " * 400,
        "\n\n",
        "👨‍👩‍👧‍👦" * 300 + "{{a}}",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=4,
)
VARIABLE = st.sampled_from(VARIABLES)
LIKELY = st.sampled_from(
    ["one", "two", " Two", "v0", "v1", 0, 5, "5", 7.5, 10, ["one", "v0"], "one, two, 5", "", "{{b}}"]
)
HOSTILE_TEXTS = st.sampled_from(
    [
        "{{secrets.token}}",
        "{{a}}",
        "\x00",
        "(a+)+$",
        "a" * 65_536,
        "مرحبا بالعالم",
        "👩🏽‍🚀🏳️‍🌈🇧🇷🇧🇷",
        "é́́́́" * 3000,
        "1e999",
        "nan",
        "٣",
        "-0",
        "one",
        "two",
        "1",
        "2",
        "a@b.io",
        "+55 11 98765-4321",
        "31/12/2026",
        "1.234,56",
        "one or two of 31/12/2026, 5 for a@b.io",
        "\ue000token\ue001",
        "\ud800",
        "",
        " ",
    ]
)


@st.composite
def buttons(draw: st.DrawFn, ids: list[str]) -> list[dict[str, Any]]:
    labels = draw(
        st.lists(st.sampled_from(["one", "two", "três", "Four", "5", "{{a}}", "{{b}}", "🙂"]), min_size=1, unique=True)
    )
    target = st.none() | st.sampled_from(ids)
    section = draw(st.none() | st.just("S {{b}}"))
    return [
        {
            "label": label,
            "value": f"v{index}",
            "next_node_id": draw(target),
            "description": draw(st.none() | st.just("{{a}} d")),
            "section": section,
            "show_if": {**draw(comparison()), "keep_as": None} if index and draw(st.booleans()) else None,
        }
        for index, label in enumerate(labels)
    ]


@st.composite
def validation(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(
            [
                "text",
                "email",
                "phone",
                "number",
                "choice",
                "date",
                "regex",
                "media",
                "location",
                "any",
                "order",
                "contacts",
            ]
        )
    )
    found: dict[str, Any] = {"type": kind, "error_message": draw(st.none() | TEXTS)}
    if kind == "regex":
        found["pattern"] = draw(st.sampled_from(["^a+$", "(a+)+$", "[0-9]", "é"]))
    if kind == "choice":
        found["choices"] = ["one", {"value": "two", "label": "Dois"}]
    if kind == "number":
        found["max"] = draw(st.none() | st.integers(0, 10))
        found["integer"] = draw(st.booleans())
    found["find"] = kind in ("number", "date", "email", "choice") and draw(st.booleans())
    return found


@st.composite
def comparison(draw: st.DrawFn) -> dict[str, Any]:
    operators = ["==", "!=", ">", "<", ">=", "<=", "in", "not_in", "contains", "not_contains"]
    finders = ["has_number", "has_email", "has_date", "has_words"]
    operator = draw(
        st.sampled_from([*operators, "starts_with", "ends_with", "is_empty", "is_not_empty", "matches", *finders])
    )
    value = draw(st.sampled_from(["(a+)+$", "one"]) if operator in ("matches", "has_words") else LIKELY | VALUES)
    return {
        "keep_as": draw(st.none() | VARIABLE) if operator in finders else None,
        "variable": draw(st.sampled_from([*VARIABLES, "a.x", "contact.name", "input.text"])),
        "operator": operator,
        "value": value,
    }


KINDS = [
    *("start", "message", "buttons", "media", "cta", "question", "question", "question_buttons", "condition"),
    *("branches", "jump", "end", "handoff", "action", "api_call", "ai_prompt", "delay", "set_variable", "random"),
    *("template", "whatsapp_flow", "question_list", "question_several", "wait_event", "schedule"),
    *("location", "contacts", "product", "products", "catalog", "carousel", "cards", "reaction"),
]
TYPES = {"buttons": "message", "media": "message", "cta": "message", "question_buttons": "question"}
TYPES |= {"question_list": "question", "question_several": "question"}
TYPES |= {"branches": "condition"}
TYPES |= dict.fromkeys(("location", "contacts", "product", "products", "catalog", "carousel", "reaction"), "message")
TYPES |= {"cards": "message"}


def prefixed(prefix: str) -> st.SearchStrategy[str]:
    return TEXTS.map(lambda text: prefix + text)


def node_data(ids: list[str], flows: list[str]) -> dict[str, dict[str, st.SearchStrategy[Any]]]:
    """A strategy for each field of the data of each kind of node."""
    target, none, just = st.sampled_from(ids), st.none(), st.just
    optional = none | target
    branch = st.fixed_dictionaries({"all": st.lists(comparison(), min_size=1, max_size=2), "next_node_id": target})
    media = st.fixed_dictionaries({"type": st.sampled_from(["image", "audio", "video", "document"]), "id": just("1")})
    actions = st.tuples(
        st.fixed_dictionaries({"type": just("set_variable"), "variable": VARIABLE, "value": VALUES}),
        st.fixed_dictionaries(
            {"type": just("add"), "variable": VARIABLE, "by": st.sampled_from([1, -2.5, "{{b}}", "{{a * 2}}"])}
        ),
        st.fixed_dictionaries({"type": just("append"), "variable": VARIABLE, "value": VALUES}),
        st.fixed_dictionaries({"type": just("save_contact"), "field": just("x"), "value": VALUES}),
        st.fixed_dictionaries({"type": just("label"), "label": just("asked")}),
        st.fixed_dictionaries({"type": just("set_language"), "language": st.sampled_from(["en", "fr", "{{a}}"])}),
        st.fixed_dictionaries(
            {
                "type": just("set_consent"),
                "purpose": st.sampled_from(["utility", "marketing"]),
                "state": st.sampled_from(["granted", "withdrawn"]),
                "source": none | TEXTS,
            }
        ),
        st.fixed_dictionaries(
            {"type": just("emit_event"), "name": just("e"), "data": st.fixed_dictionaries({"v": VALUES})}
        ),
        st.fixed_dictionaries(
            {
                "type": just("send_email"),
                "to": st.sampled_from(["ana@example.com", "{{a}}"]),
                "subject": TEXTS,
                "text": TEXTS,
                "outcome_variable": none | VARIABLE,
            }
        ),
        st.fixed_dictionaries(
            {
                "type": just("start_flow"),
                "to": just("{{a}}"),
                "flow_id": just("other"),
                "parameters": st.fixed_dictionaries({"v": VALUES}),
                "outcome_variable": none | VARIABLE,
            }
        ),
    ).map(list)
    paths = st.tuples(
        st.fixed_dictionaries({"id": just("x"), "next_node_id": target}),
        st.fixed_dictionaries({"id": just("y"), "weight": just(2), "next_node_id": target}),
    ).map(list)
    parameters = st.lists(st.fixed_dictionaries({"type": just("text"), "text": TEXTS}), max_size=2)
    cta = just({"label": "{{a}}", "url": "https://example.com/{{a}}"})
    degrees = st.sampled_from([0, -90.0, "{{a}}", "{{b | default(5)}}"])
    product_id = st.sampled_from(["sku1", "{{a}}", "{{b}}{{c}}"])
    product = st.fixed_dictionaries({"catalog_id": just("7"), "product_retailer_id": product_id})
    section = st.fixed_dictionaries(
        {"title": just("S {{a}}"), "product_retailer_ids": st.lists(product_id, min_size=1, max_size=3)}
    )
    reply = {"reply_to": none | st.sampled_from(["{{input.message_id}}", "{{a}}"]), "next_node_id": optional}
    picture = just({"type": "image", "id": "{{a | default('1')}}"})
    card = st.fixed_dictionaries({"media": picture, "text": none | just("C {{b}}"), "cta_url": cta})
    asked = {
        "question": prefixed("Q "),
        "variable": VARIABLE,
        "validation": none | validation(),
        "next_node_id": target,
    }
    return {
        "start": {
            "greeting": TEXTS,
            "parameters": none | st.tuples(st.fixed_dictionaries({"name": VARIABLE, "default": VALUES})).map(list),
            "next_node_id": target,
        },
        "message": {"text": prefixed("M "), "header": none | just("H {{a}}"), "next_node_id": optional},
        "buttons": {
            "text": TEXTS,
            "buttons": buttons(ids),
            "list_button": none | just("L {{a}}"),
            "footer": none | just("{{a}}"),
            "next_node_id": optional,
        },
        "media": {"text": TEXTS, "media": media, "buttons": none | buttons(ids)},
        "cta": {"text": TEXTS, "cta_url": cta, "next_node_id": optional},
        "location": {
            "text": none | TEXTS,
            "location": st.fixed_dictionaries({"latitude": degrees, "longitude": degrees, "name": none | TEXTS}),
            **reply,
        },
        "contacts": {
            "contacts": st.lists(
                st.fixed_dictionaries({"name": just("N {{a}}"), "phones": st.lists(TEXTS, max_size=2)}), min_size=1
            ),
            **reply,
        },
        "product": {"text": none | TEXTS, "product": product, "media": none | media, **reply},
        "products": {
            "text": prefixed("P "),
            "header": prefixed("{{a}} "),
            "products": st.fixed_dictionaries(
                {"catalog_id": just("{{a | default('7')}}"), "sections": st.lists(section, min_size=1, max_size=3)}
            ),
            **reply,
        },
        "catalog": {
            "text": prefixed("C "),
            "catalog": just({"thumbnail": "{{c}}"}),
            "footer": none | just("{{a}}"),
            **reply,
        },
        "carousel": {"text": prefixed("C "), "carousel": st.lists(card, min_size=2, max_size=4), **reply},
        "cards": {
            "text": prefixed("C "),
            "carousel": just(
                [
                    {"media": {"type": "image", "id": id_}, "buttons": [{"label": "{{a}}", "value": value}]}
                    for id_, value in (("1", "v0"), ("{{b}}", "v1"), ("3", "v2"))
                ]
            ),
            "variable": none | VARIABLE,
            **reply,
        },
        "reaction": {"reaction": just({"emoji": "👍"}), "next_node_id": optional},
        "question": {
            **asked,
            "reactions": none | just({"👍": "5", "👎": "no"}),
            "max_attempts": none | st.integers(1, 3),
            "timeout_seconds": none | just(60),
        },
        "question_buttons": {
            **asked,
            "question": none | prefixed("Q "),
            "media": none | media,
            "footer": none | just("F {{b}}"),
            "buttons": buttons(ids),
        },
        "schedule": {
            "hours": st.sampled_from(["named", [{"days": ["fri", "sat"], "opens": "08:00", "closes": "02:00"}]]),
            "holidays": none | just(["01-15", "2027-01-16"]),
            "open_next_node_id": target,
            "closed_next_node_id": target,
        },
        "question_list": {
            **asked,
            "options_from": st.fixed_dictionaries(
                {
                    "list": st.sampled_from([*VARIABLES, "a.x"]),
                    "label": just("{{item}} {{b}}"),
                    "value": none | just("v{{item.x}}"),
                    "item_variable": none | VARIABLE,
                    "empty_next_node_id": target,
                }
            ),
        },
        "question_several": {
            "question": none | prefixed("Q "),
            "variable": VARIABLE,
            "buttons": buttons(ids),
            "multiple": st.fixed_dictionaries({"least": st.integers(0, 2), "most": none | st.integers(2, 3)}),
            "max_attempts": none | just(2),
            "next_node_id": target,
        },
        "condition": {"true_next_node_id": target, "false_next_node_id": target},
        "branches": {"branches": st.lists(branch, max_size=2), "default_next_node_id": target},
        "wait_event": {
            "name": just("paid"),
            "timeout_seconds": just(60),
            "output_variable": none | VARIABLE,
            "next_node_id": target,
            "timeout_next_node_id": target,
        },
        "jump": {
            "target_flow_id": st.sampled_from(flows),
            "pass_variables": st.booleans(),
            "return_to_parent": just(True),
            "next_node_id": optional,
            "timeout_seconds": none | just(60),
            "timeout_next_node_id": optional,
            "outcome_variable": none | VARIABLE,
        },
        "end": {"message": none | TEXTS, "trigger_handoff": st.booleans()},
        "handoff": {"message": TEXTS, "note": just("{{a}}"), "next_node_id": optional},
        "action": {"actions": actions, "next_node_id": target},
        "api_call": {
            "url": just("https://example.com/{{a}}"),
            "body": VALUES,
            "run_as_body": st.booleans(),
            "attempts": st.integers(1, 3),
            "status_variable": none | VARIABLE,
            "error_body_variable": none | VARIABLE,
            "output_variable": VARIABLE,
            "response_map": just({"b": "$.x[0]"}),
            "next_node_id": target,
            "error_next_node_id": target,
        },
        "ai_prompt": {
            "model": just("m"),
            "prompt": prefixed("P "),
            "memory": none | st.fixed_dictionaries({"variable": just("memory"), "turns": st.integers(1, 3)}),
            "fields": none | st.fixed_dictionaries({"a": st.sampled_from(["text", "number", "boolean"])}),
            "output_variable": VARIABLE,
            "next_node_id": target,
            "error_next_node_id": optional,
        },
        "delay": {"seconds": st.integers(0, 100), "next_node_id": target},
        "set_variable": {"variable": VARIABLE, "value": VALUES, "next_node_id": target},
        "random": {"paths": paths, "sticky": st.booleans()},
        "template": {
            "name": just("t"),
            "language": just("en"),
            "components": st.tuples(st.fixed_dictionaries({"type": just("body"), "parameters": parameters})).map(list),
            "next_node_id": target,
        },
        "whatsapp_flow": {
            "flow_id": just("1"),
            "cta": just("{{a}}"),
            "text": TEXTS,
            "variable": VARIABLE,
            "next_node_id": target,
        },
    }


@st.composite
def nodes(draw: st.DrawFn, ids: list[str], flows: list[str]) -> list[dict[str, Any]]:
    data = node_data(ids, flows)
    found = []
    for node_id in ids:
        kind = draw(st.sampled_from(KINDS))
        fields = draw(st.fixed_dictionaries(data[kind]))
        if kind == "condition":
            fields |= draw(comparison())
        if kind == "api_call" and fields["run_as_body"]:
            fields["body"] = None
        if kind == "schedule" and fields["hours"] == "named":
            fields["holidays"] = None
        if kind == "question_several":
            fields["buttons"] = [{**button, "next_node_id": None} for button in fields["buttons"][:9]]
            fields["multiple"]["least"] = min(fields["multiple"]["least"], len(fields["buttons"]))
        found.append({"id": node_id, "type": TYPES.get(kind, kind), "data": fields})
    return found


@st.composite
def bundles(draw: st.DrawFn) -> dict[str, Any]:
    flows = ["main", "sub"]
    language = draw(st.sampled_from(["pt_BR", "en", "es"]))
    documents = {}
    for flow_id in flows:
        ids = [f"n{index}" for index in range(draw(st.integers(1, 7)))]
        documents[flow_id] = {
            "format": 1,
            "id": flow_id,
            "language": language,
            "start_node_id": "n0",
            "merge_texts": draw(st.booleans()),
            "report_variables": ["a"],
            "nodes": draw(nodes(ids, flows)),
        }
        words = draw(st.lists(st.sampled_from(["menu", "help", "Preços"]), unique=True, max_size=2))
        if words:
            command = st.fixed_dictionaries({"next_node_id": st.sampled_from(ids), "returns": st.booleans()})
            documents[flow_id]["commands"] = [{"words": [word], **draw(command)} for word in words]
        if draw(st.booleans()):
            documents[flow_id] |= {"languages": ["fr", "en"], "texts": {"fr": _translations(documents[flow_id])}}
    return documents


def _translations(document: dict[str, Any]) -> dict[str, str]:
    """Another text for every text of a document that can be read."""
    read, _ = read_document(document)
    if read is None:
        return {}
    return {
        f"{node.id}.{shown.key}": shown.text if "{{" in shown.text else shown.text.swapcase()
        for node in read.nodes
        for shown in shown_texts(node.data)
        if not shown.optional
    }


INPUTS = st.one_of(
    st.builds(Input, text=st.text(max_size=20) | HOSTILE_TEXTS | st.sampled_from(["menu", "Help, please", "precos"])),
    st.builds(
        Input,
        type=st.just("reply"),
        reply_id=st.sampled_from(["v0", "v1", "v5", "old", "two"]),
        text=st.text(max_size=5),
    ),
    st.builds(Input, type=st.just("media"), media=st.builds(InputMedia, id=st.text(max_size=5), type=st.just("image"))),
    st.builds(
        Input,
        type=st.sampled_from(["order", "contacts"]),
        payload=VALUES | st.builds(lambda item: {"product_items": [item]}, VALUES) | st.lists(VALUES, max_size=2),
    ),
    st.builds(Input, type=st.just("reaction"), text=st.sampled_from(["👍", "👎🏽", "😮", ""])),
    st.builds(Input, type=st.just("location"), location=st.just(InputLocation(1.5, -2.0))),
    st.builds(
        Input,
        type=st.just("form"),
        response=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2),
    ),
    st.builds(
        Input,
        type=st.sampled_from(
            ["timeout", "resume", "handed_back", "start", "contacts", "unsupported", "effect_result", "nonsense"]
        ),
    ),
)
RESULTS = st.builds(
    EffectResult, ok=st.booleans(), status=st.just(200), body=VALUES, error=st.none() | st.text(max_size=5)
)
