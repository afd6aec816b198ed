"""What `{{...}}` renders to."""

from typing import Any

import pytest

from pytake.engine import Contact, FlowError, Input, InputMedia
from tests.engine.conversations import Talk, document, flow_of, node, texts

ORDER = {"items": [{"title": "Mug", "price": 12.5}, {"title": "Cup"}], "paid": True, "total": 30.0}


def rendered(
    template: str, language: str = "en", value: Any = ORDER, user_input: Input | None = None, **context: Any
) -> str:
    first = node("s", "set_variable", variable="order", value=value, next_node_id="m")
    talk = Talk(flow_of(document(first, node("m", "message", text=f"[{template}]"), language=language)), **context)
    return "\n\n".join(texts(talk.say(user_input or Input(text="Hi there"))))[1:-1]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{order.items.0.title}}", "Mug"),
        ("{{ order.items[1].title }}", "Cup"),
        ("{{order.items.7.title}}", ""),
        ("{{order.nothing.at.all}}", ""),
        ("{{missing}}", ""),
        ("{{order.paid}}", "true"),
        ("{{order.total}}", "30"),
        ("{{order.items.0.price}}", "12.5"),
        ('{{missing | default("friend")}}', "friend"),
        ("{{missing | default('a | b }} c')}}", "a | b }} c"),
        ("{{contact.name | first_name | upper}}", "MARIA"),
        ("{{contact.name | lower}}", "maria da silva"),
        ("{{contact.phone | digits}}", "5511987654321"),
        ("{{contact.city | default(contact_city)}}", None),
        ("{{contact.city | default(3)}}", "3"),
        ("{{input.text}}/{{input.type}}/{{input.reply_id}}", "Hi there/text/"),
        ("{{order.items | length}}", "2"),
        ("{{input.text | replace('there', 'you') | truncate(4)}}", "Hi…"),
        ("{{order.items.0.price | round}}", "13"),
        ("{{input.text | title}}", "Hi There"),
        ("{{a}} { {b}} }} {{", " { {b}} }} {{"),
    ],
)
def test_rendering(template: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(FlowError, match="invalid_template"):
            rendered(template)
    else:
        assert rendered(template) == expected


@pytest.mark.parametrize(("language", "expected"), [("pt_BR", "1,5"), ("es", "1,5"), ("en", "1.5")])
def test_numbers_are_formatted_by_language(language: str, expected: str) -> None:
    assert rendered("{{order}}", language, 1.5) == expected


def test_lists_and_objects_as_text() -> None:
    assert rendered("{{order}}", value=["a", 2, None, True]) == "a, 2, , true"
    assert rendered("{{order | join(' + ')}}", value=["a", 2]) == "a + 2"
    assert rendered("{{order}}", "pt_BR", [1.5, 2]) == "1,5; 2"
    assert rendered("{{order}}", value={"b": 1, "a": [1]}) == '{"a":[1],"b":1}'


def test_a_value_is_never_rendered_again() -> None:
    contact = Contact("1", name="{{input.text}} {{secrets.token}}")
    assert rendered("{{contact.name}}", contact=contact) == "{{input.text}} {{secrets.token}}"


def test_templates_can_read_the_input() -> None:
    sent = Input(type="media", text="my dog", media=InputMedia("m-1", "image", caption="my dog"))
    assert rendered("{{input.media_id}} {{input.media.type}} {{input.text}}", user_input=sent) == "m-1 image my dog"


@pytest.mark.parametrize(
    "template",
    ["{{}}", "{{a b}}", "{{a | nothing}}", "{{a | default}}", "{{a | upper(1)}}", "{{a..b}}", "{{a | default(x)}}"],
)
def test_invalid_templates_are_problems(template: str) -> None:
    with pytest.raises(FlowError, match="invalid_template"):
        flow_of(document(node("m", "message", text=template)))
