"""Expressions of goflow, of old RapidPro flows and of JavaScript in PyTake's language."""

from typing import Any

import pytest

from pytake.importers.goflow.bundle import Bundle
from pytake.importers.goflow.context import Context
from pytake.importers.goflow.expressions import SyntaxProblemError, parse_text
from pytake.importers.goflow.functions import Translator
from pytake.importers.goflow.legacy_expressions import migrate_template
from pytake.importers.goflow.translation import Assign, Choose, Draw, UntranslatableError, Written
from pytake.importers.javascript import parse_expression
from pytake.importers.scripts import Products, ScriptWriter


def translator() -> Translator:
    numbers = iter(range(1, 100))
    return Translator(lambda parts: Written(".".join(parts)), lambda hint: f"{hint}_{next(numbers)}")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hi @contact.name!", "Hi {{contact.name}}!"),
        ("mail ana@example.com or @nobody, @@results", "mail ana@example.com or @nobody, @results"),
        ("{{results}}", "{ {results}}"),
        ('@(upper("a") & "b")', None),
        ("@(upper(contact.name))", "{{contact.name | upper}}"),
        ("@(round(results.a / results.b, 2))", "{{results.a / results.b | round(2)}}"),
        ('@(default(results.a, "none"))', '{{results.a | default("none")}}'),
        ('@(word(results.a, 0, " "))', "{{results.a | trim | word(1)}}"),
        ('@(field(results.a, 1, ","))', '{{results.a | split(",") | item(2)}}'),
        ("@(text_slice(results.a, 0, 3))", "{{results.a | slice(1, 3)}}"),
        ('@(format_date(results.d, "DD/MM/YYYY"))', '{{results.d | date("DD/MM/YYYY")}}'),
        ('@(format_datetime(now(), "tt:mm aa"))', '{{now | date("HH:mm a")}}'),
        ('@(datetime_add(today(), 7, "D"))', '{{today | add_time("7 days")}}'),
        ('@(datetime_add(today(), results.n, "W"))', '{{today | add_time(results.n, "weeks")}}'),
        ('@(replace(results.a, "x", "y"))', '{{results.a | replace("x", "y")}}'),
        ("@(format_urn(urns.tel))", "{{contact.phone | phone}}"),
        ("@(urn_parts(urns.tel).path)", "{{contact.phone}}"),
        ('@(if(true, "a", "b"))', None),
        ("@(-results.a)", "{{0 - results.a}}"),
        ("@results.a.b", "{{results.a.b}}"),
        ('@(results.a["b"])', "{{results.a.b}}"),
    ],
)
def test_an_expression_becomes_a_template(template: str, expected: str | None) -> None:
    found = translator()
    text = found.text(template)
    assert found.errors == []
    if expected is None:
        assert text.startswith("{{value_")
        assert found.steps
    else:
        assert (text, found.steps) == (expected, [])


@pytest.mark.parametrize(
    ("template", "steps"),
    [
        ("@(results.a * (results.b + 1))", [Assign("value_1", "{{results.b + 1}}")]),
        ("@(max(results.a, 3))", [Assign("value_1", ["{{results.a}}", 3])]),
        ("@(rand_between(1, 3))", [Draw("value_1", [1, 2, 3])]),
        (
            '@(if(results.a > 2, "many", "few"))',
            [
                Choose(
                    [{"variable": "results.a", "operator": ">", "value": 2}],
                    False,
                    [Assign("value_1", "many")],
                    [Assign("value_1", "few")],
                )
            ],
        ),
    ],
)
def test_what_needs_more_than_one_step_is_stored_before(template: str, steps: list[Any]) -> None:
    found = translator()
    found.text(template)
    assert (found.steps, found.errors) == (steps, [])


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('a @(regex_match(results.a, "x")) b', "a  b"),
        ("a @(2 ^ 3) b", "a  b"),
        ("a @(foreach(results.a, upper)) b", "a  b"),
        ("a @(1 +) b", ""),
    ],
)
def test_what_cannot_be_translated_is_left_out_and_named(template: str, text: str) -> None:
    found = translator()
    assert found.text(template) == text
    assert len(found.errors) == 1


def test_an_expression_that_is_not_closed_is_a_text() -> None:
    assert translator().text("a @(upper( b") == "a @(upper( b"


def test_deep_nesting_is_an_error_and_not_a_crash() -> None:
    with pytest.raises(SyntaxProblemError, match="deeply"):
        parse_text("@(" + "(" * 500 + "1" + ")" * 500 + ")")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Hi @contact", "Hi @contact"),
        ("@contact.age @contact.name", "@fields.age @contact.name"),
        (
            "@flow.color @flow.color.category @flow.color.text",
            "@results.color @results.color.category @results.color.input",
        ),
        ('@(UPPER(contact.name) & "!")', '@(upper(contact.name) & "!")'),
        ("@(flow.age + 1)", "@(legacy_add(results.age, 1))"),
        ("@(WORD(flow.a, 2))", "@(word(results.a, 1))"),
        ("@(FIRST_WORD(step.value))", "@(word(input.text, 0))"),
        ("@step.contact.tel_e164 @step.value", "@(urn_parts(urns.tel).path) @input.text"),
        ("@child.x @parent.y.category", "@child.results.x @parent.results.y.category"),
        ("@extra.code @date", "@legacy_extra.code @(now())"),
        ("@contact.name|upper_case", "@(upper(contact.name))"),
        ("me@example.com", "me@@example.com"),
    ],
)
def test_an_old_expression_becomes_a_new_one(old: str, new: str) -> None:
    assert migrate_template(old) == new


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("{{Score}} + 10", "{{Score + 10}}"),
        ("Math.round(price * 3)", "{{price * 3 | round(0)}}"),
        ("name.toUpperCase()", "{{name | upper}}"),
        ("total.toFixed(2)", "{{total | decimals(2)}}"),
        ("return list[pick - 1].name", "{{value.name}}"),
        ("`Hi ${name}`", "{{value}}"),
        ("'fixed'", "fixed"),
    ],
)
def test_a_javascript_expression_becomes_a_template(code: str, expected: str) -> None:
    found = ScriptWriter(lambda name: name, lambda hint: hint).translator()
    assert found.value(parse_expression(code)).template == expected


@pytest.mark.parametrize("code", ["a => a", "x % 2", "fetch('x')", "while (true) {}", "a.b = 1", "(" * 200, "`${`"])
def test_a_script_that_cannot_be_read_is_refused(code: str) -> None:
    writer = ScriptWriter(lambda name: name, lambda hint: hint)
    with pytest.raises(UntranslatableError):
        writer.steps(code)


def test_a_sum_over_products_needs_the_items_to_have_the_product() -> None:
    scripts = ["cart.push({price: p.price, quantity: n})", "cart.forEach(i => { total += i.price * i.quantity })"]
    writer = ScriptWriter(lambda name: name, lambda hint: hint, Products.of(scripts))
    (push,) = writer.steps(scripts[0])
    assert push.action["value"] == {
        "price": "{{p.price}}",
        "quantity": "{{n}}",
        "price_times_quantity": "{{p.price * n}}",
    }
    assert writer.steps(scripts[1])[0] == Assign("sum", '{{cart | sum("price_times_quantity")}}')


def test_the_name_of_the_flow_is_known() -> None:
    """Glific's `@flow.name`."""
    bundle = Bundle([{"uuid": "f", "name": "Welcome", "nodes": []}], {}, {})
    context = Context(bundle, bundle.flows["f"])
    assert context.resolve(("flow", "name")) == Written(constant="Welcome")
    with pytest.raises(UntranslatableError, match=r"run\.flow\.id"):
        context.resolve(("flow", "id"))
