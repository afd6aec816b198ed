"""Templates at the simulated Graph API: what Meta takes, refuses and reports. pywa, which other people wrote, is the client."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pywa import types
from pywa.errors import WhatsAppError
from pywa.types import templates as made

from local.graph_webhooks import ACCOUNT_ID
from pytake.whatsapp.template_changes import TemplateChange, read_change
from tests.local.pywa_client import Pywa
from tests.local.simulator_harness import ANA, NUMBER, TOKEN, SimulatorHarness, run_scenario

Json = dict[str, Any]
PORTUGUESE = made.TemplateLanguage.PORTUGUESE_BR
NAMED = made.Template(
    name="order_ready",
    language=PORTUGUESE,
    category=made.TemplateCategory.UTILITY,
    components=[
        made.BodyText("Oi {{name}}, o pedido {{order}} saiu.", name="Ana", order="42"),
        made.Buttons(
            buttons=[
                made.QuickReplyButton(text="Ok"),
                made.URLButton(text="Ver", url="https://x.example/{{1}}", example="https://x.example/1"),
            ]
        ),
    ],
    parameter_format=made.ParamFormat.NAMED,
)
FITTING: list[Any] = [
    made.BodyText.params(name="Ana", order="42"),
    made.URLButton.params(url_variable="42", index=1),
]


def client(world: SimulatorHarness) -> Any:
    wa = Pywa(world).client
    wa.waba_id = ACCOUNT_ID
    return wa


async def decide(world: SimulatorHarness, name: str = "order_ready", **decision: Any) -> None:
    answer = await world.client.put(f"/_sim/templates/{name}/pt_BR", json=decision)
    assert answer.status_code == 200, answer.text


async def refused(call: Awaitable[Any]) -> int:
    with pytest.raises(WhatsAppError) as caught:
        await call
    return int(caught.value.code)


def changes(world: SimulatorHarness) -> list[TemplateChange | None]:
    """What the posts about templates say, read by the product."""
    found = []
    for post in world.posts:
        (entry,) = json.loads(post)["entry"]
        assert entry["id"] == ACCOUNT_ID
        assert entry["time"] > 0
        found.append(read_change(entry["changes"][0]["value"]))
    return found


def test_pywa_creates_lists_reads_edits_and_deletes_templates() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        wa = client(world)
        created = await wa.create_template(NAMED)
        assert (created.status, created.category) == (made.TemplateStatus.PENDING, made.TemplateCategory.UTILITY)
        listed = await wa.get_templates(statuses=[made.TemplateStatus.APPROVED], name="order_ready")
        assert [(one.id, one.name, one.language) for one in listed] == [(created.id, "order_ready", PORTUGUESE)]
        assert (listed.total_count, listed.has_next) == (1, False)
        one = await wa.get_template(created.id)
        assert (one.status, one.parameter_format) == (made.TemplateStatus.APPROVED, made.ParamFormat.NAMED)
        changed = await wa.update_template(
            created.id, new_components=[made.BodyText("Saiu!"), made.FooterText(text="Loja")]
        )
        assert changed.id == created.id
        assert len((await wa.get_template(created.id)).components) == 2
        assert await wa.delete_template("order_ready")
        assert len(await wa.get_templates()) == 0
        await world.simulator.idle()
        said = [change for change in changes(world) if change is not None]
        assert [change.status for change in said] == ["APPROVED", None, "APPROVED", "DELETED"]
        assert said[1].texts is not None
        assert said[1].texts["message_template_footer"] == "Loja"

    run_scenario(scenario)


def test_a_list_has_pages() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        wa = client(world)
        for name in ("alfa", "beta", "gama"):
            body = [made.BodyText("Oi")]
            await wa.create_template(
                made.Template(name=name, language=PORTUGUESE, category=made.TemplateCategory.UTILITY, components=body)
            )
        first = await wa.get_templates(pagination=types.Pagination(limit=2))
        assert ([one.name for one in first], first.has_next) == (["alfa", "beta"], True)
        rest = await wa.get_templates(pagination=types.Pagination(limit=2, after=first.after))
        assert ([one.name for one in rest], rest.has_next) == (["gama"], False)

    run_scenario(scenario)


REFUSED: dict[str, tuple[Callable[[Any], Awaitable[Any]], int]] = {
    "another name": (lambda wa: wa.send_template(ANA, "of_tomorrow", PORTUGUESE, FITTING), 132001),
    "another language": (
        lambda wa: wa.send_template(ANA, "order_ready", made.TemplateLanguage.ENGLISH_US, FITTING),
        132001,
    ),
    "a parameter too few": (
        lambda wa: wa.send_template(ANA, "order_ready", PORTUGUESE, [made.BodyText.params(name="Ana"), FITTING[1]]),
        132000,
    ),
    "a parameter of another name": (
        lambda wa: wa.send_template(
            ANA, "order_ready", PORTUGUESE, [made.BodyText.params(name="Ana", number="42"), FITTING[1]]
        ),
        132012,
    ),
    "no parameter of the button": (
        lambda wa: wa.send_template(ANA, "order_ready", PORTUGUESE, FITTING[:1]),
        132000,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_meta_refuses_is_refused(name: str) -> None:
    async def scenario(world: SimulatorHarness) -> None:
        wa = client(world)
        await wa.create_template(NAMED)
        send, code = REFUSED[name]
        assert await refused(send(wa)) == code
        assert (await wa.send_template(ANA, "order_ready", PORTUGUESE, FITTING)).id

    run_scenario(scenario)


def test_a_stopped_template_is_refused_until_it_is_approved_again() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        wa = client(world)
        created = await wa.create_template(NAMED)
        send = lambda: wa.send_template(ANA, "order_ready", PORTUGUESE, FITTING)  # noqa: E731
        for status, code in (("REJECTED", 132001), ("DISABLED", 132016), ("PAUSED", 132015)):
            await decide(world, status=status)
            assert await refused(send()) == code
        assert (await wa.unpause_template(created.id)).success
        assert not (await wa.unpause_template(created.id)).success
        await send()

    run_scenario(scenario)


def test_marketing_is_refused_after_the_person_stopped_it() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        wa = client(world)
        await wa.create_template(NAMED)
        send = lambda: wa.send_template(ANA, "order_ready", PORTUGUESE, FITTING)  # noqa: E731
        choose = f"/_sim/numbers/{NUMBER}/preferences"
        await world.client.post(choose, json={"phone": ANA, "marketing": "stop"})
        assert (await send()).id, "only marketing was stopped"
        await decide(world, category="MARKETING")
        assert await refused(send()) == 131050
        await world.client.post(choose, json={"phone": ANA, "marketing": "resume"})
        assert (await send()).id

    run_scenario(scenario)


def test_the_endpoint_for_marketing_takes_marketing_templates_and_bills_them_as_such() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        await client(world).create_template(NAMED)
        named = [{"type": "text", "parameter_name": name, "text": "42"} for name in ("name", "order")]
        url = {"type": "button", "sub_type": "url", "index": 1, "parameters": [{"type": "text", "text": "42"}]}
        components = [{"type": "body", "parameters": named}, url]
        template = {"name": "order_ready", "language": {"code": "pt_BR"}, "components": components}
        sent: Json = {"type": "template", "template": template}

        async def post(**more: Any) -> Any:
            body = {"messaging_product": "whatsapp", "to": f"+{ANA}", **sent, **more}
            headers = {"Authorization": f"Bearer {TOKEN}"}
            answer = await world.client.post(f"/_graph/v25.0/{NUMBER}/marketing_messages", json=body, headers=headers)
            return answer.json()

        assert (await post())["error"]["code"] == 134100
        await decide(world, category="MARKETING")
        assert (await post(product_policy="SOMETIMES"))["error"]["code"] == 100
        assert (await post(product_policy="CLOUD_API_FALLBACK"))["messages"][0]["message_status"] == "accepted"
        await world.simulator.idle()
        assert {status["pricing"]["category"] for status in (await world.statuses())[-2:]} == {"marketing_lite"}

    run_scenario(scenario)


def test_what_meta_decides_is_posted_and_pywa_reads_it() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        wa = client(world)
        await wa.create_template(NAMED)
        await decide(world, status="PAUSED", title="FIRST_PAUSE")
        await decide(world, quality="RED")
        await decide(world, announced_category="MARKETING")
        await decide(world, category="MARKETING")
        await decide(world, status="REJECTED", reason="SCAM")
        await world.simulator.idle()
        said = [(c.status, c.title, c.quality, c.category, c.next_category, c.reason) for c in changes(world) if c]
        assert said == [
            ("APPROVED", None, None, "UTILITY", None, None),
            ("PAUSED", "FIRST_PAUSE", None, "UTILITY", None, None),
            (None, None, "RED", None, None, None),
            (None, None, None, "UTILITY", "MARKETING", None),
            (None, None, None, "MARKETING", None, None),
            ("REJECTED", None, None, "MARKETING", None, "SCAM"),
        ]
        pywa = Pywa(world)
        read = await pywa.reads(world.posts)
        assert [type(update).__name__ for update in read] == [
            "TemplateStatusUpdate",
            "TemplateStatusUpdate",
            "TemplateQualityUpdate",
            "TemplateCategoryUpdate",
            "TemplateCategoryUpdate",
            "TemplateStatusUpdate",
        ]

    run_scenario(scenario)


def test_definitions_and_tokens_are_checked() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        path = f"/_graph/v25.0/{ACCOUNT_ID}/message_templates"
        own = {"Authorization": f"Bearer {TOKEN}"}
        body = [{"type": "BODY", "text": "Oi {{1}}"}]
        new: Json = {"name": "promo", "language": "pt_BR", "category": "MARKETING", "components": body}
        for headers, definition, code in (
            ({}, new, 190),
            ({"Authorization": "Bearer of-another"}, new, 100),
            (own, new, 100),
            (own, new | {"name": "Promo"}, 100),
        ):
            answer = await world.client.post(path, json=definition, headers=headers)
            assert answer.json()["error"]["code"] == code
        new["components"] = [{"type": "BODY", "text": "Oi"}]
        created = (await world.client.post(path, json=new, headers=own)).json()
        again = (await world.client.post(path, json=new, headers=own)).json()["error"]
        assert again["error_subcode"] == 2388024
        foreign = await world.client.get(f"/_graph/v25.0/{created['id']}", headers={"Authorization": "Bearer x"})
        assert foreign.json()["error"]["code"] == 100
        unknown = await world.client.put("/_sim/templates/promo/en", json={"status": "PAUSED"})
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "template_unknown")
        assert [one["name"] for one in (await world.client.get("/_sim/templates")).json()["templates"]] == ["promo"]

    run_scenario(scenario)


def test_a_message_can_be_held_and_an_account_without_templates_takes_every_name() -> None:
    async def scenario(world: SimulatorHarness) -> None:
        async def status() -> str:
            message = {"name": "promo", "language": {"code": "pt_BR"}}
            answer = await world.send({"type": "template", "template": message})
            return str(answer.json()["messages"][0]["message_status"])

        assert await status() == "accepted"
        body = [made.BodyText("Oi")]
        await client(world).create_template(
            made.Template(name="promo", language=PORTUGUESE, category=made.TemplateCategory.MARKETING, components=body)
        )
        await decide(world, "promo", held=True)
        assert await status() == "held_for_quality_assessment"
        await decide(world, "promo", held=False)
        assert await status() == "accepted"
        assert world.simulator.network.numbers[NUMBER].waba_id == ACCOUNT_ID

    run_scenario(scenario)
