from collections.abc import Callable
from typing import ClassVar

from pytake.engine.carousel import CardOptions, CardSpec, CtaSpec, showing_cards
from pytake.engine.contents import (
    CatalogSpec,
    ContactSpec,
    LocationSpec,
    ProductSpec,
    ProductsSpec,
    ReactionSpec,
    reacting,
    showing_catalog,
    showing_contacts,
    showing_place,
    showing_product,
    showing_products,
)
from pytake.engine.execution import CompiledNode, Execution, NodeHandlers, Say
from pytake.engine.facts import Constant, Write
from pytake.engine.field_types import Button
from pytake.engine.node_build import NodeBuild
from pytake.engine.options import Options
from pytake.engine.registry import NodeData, node_type
from pytake.engine.sending import (
    Frame,
    MediaSpec,
    asking_for_phone,
    asking_for_place,
    check_body,
    check_link,
    compile_frame,
    leave_out,
    media_header,
    meta_id,
    offering,
    saying,
    web_address,
)
from pytake.engine.text_split import truncate
from pytake.engine.turn import Step
from pytake.whatsapp import limits as meta
from pytake.whatsapp.outbound import CtaUrl, MediaHeader

_CONTENTS = (
    *(
        "buttons",
        "cta_url",
        "location_request",
        "contact_request",
        "location",
        "contacts",
        "product",
        "products",
        "catalog",
        "carousel",
    ),
    "reaction",
)
"""The fields that decide what kind of message it is."""


@node_type("message")
class Message(NodeData):
    """Sends a text, media, a link button, a place, contacts, products, a carousel, a reaction, or options to choose from.

    With `buttons` the node waits for a choice. The path continues at the button's `next_node_id`, or at the node's if the button
    has none; `variable` stores the chosen value. Up to 3 buttons are reply buttons; 4 to 10 are a list, and so are fewer with a
    `section` or a `list_button` (the text of the button that opens the list). Any other answer is answered with the same options
    again. A tap on a button of an older message counts only if its value is one of these options. Without `buttons` the path
    continues immediately, also after a `location_request`: use a question to wait for the location. A `contact_request` asks a
    person who hides it for the phone number: the answer links the number to the contact, and is the next message.

    An image, video or document appears above reply buttons in the same message; before a list it is a message of its own. A text
    with media becomes its caption if it fits. Without buttons, `header` and `footer` become lines of the text.

    A text is said before `location` and `contacts`, and is the body of `product`, `products`, `catalog` and `carousel`; only
    `products` has a header. Cards of a `carousel` with `buttons` wait for a choice like `buttons`. `reply_to` is the id of the
    message that this one quotes, such as `{{input.message_id}}`, the one that the person just sent.
    """

    TEXTS: ClassVar = (
        "text",
        "media.caption",
        "media.link?",
        "media.id?",
        "media.filename?",
        "header",
        "footer",
        "buttons.[].label",
        "buttons.[].description",
        "buttons.[].section",
        "list_button",
        "cta_url.label",
        "cta_url.url?",
        "location.name?",
        "location.address?",
        "contacts.[].name?",
        "contacts.[].organization?",
        "products.sections.[].title",
        "carousel.[].text",
        "carousel.[].media.link?",
        "carousel.[].cta_url.label",
        "carousel.[].cta_url.url?",
        "carousel.[].buttons.[].label",
    )

    text: str | None = None
    media: MediaSpec | None = None
    header: str | None = None
    footer: str | None = None
    buttons: list[Button] | None = None
    list_button: str | None = None
    variable: str | None = None
    cta_url: CtaSpec | None = None
    location_request: bool | None = None
    contact_request: bool | None = None
    location: LocationSpec | None = None
    contacts: list[ContactSpec] | None = None
    product: ProductSpec | None = None
    products: ProductsSpec | None = None
    catalog: CatalogSpec | None = None
    carousel: list[CardSpec] | None = None
    reaction: ReactionSpec | None = None
    reply_to: str | None = None
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the message and, with buttons, the answers to it."""
        used = [name for name in _CONTENTS if getattr(self, name)]
        if len(used) > 1:
            message = f"Only one of {', '.join(f'`{name}`' for name in used)} can be used. Keep one of them."
            build.problem("conflicting_fields", used[0], message)
        with_options = bool(self.carousel) and any(card.buttons for card in self.carousel or ())
        if (self.variable and not (self.buttons or with_options)) or (self.list_button and not self.buttons):
            name = "variable" if self.variable else "list_button"
            build.problem("missing_field", "buttons", f"`{name}` needs `buttons`. Add them, or remove `{name}`.")
        if self.reaction is not None and self.reply_to:
            message = "A reaction does not quote a message. Remove `reply_to`, or set `reaction.message_id`."
            build.problem("conflicting_fields", "reply_to", message)
        build.facts.says = True
        frame = compile_frame(self.header, self.footer, self.media, build)
        if self.buttons:
            return self._choice(Options(self.buttons, build, self.list_button), frame, build)
        if with_options:
            return self._choice(CardOptions(self.carousel or (), self.text, build), frame, build)
        say = self._replying(self._saying(frame, build), build)
        following, step = build.target(self.next_node_id, "next_node_id"), build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            say(run)
            run.path.append(step)
            return following

        return NodeHandlers(enter)

    def _replying(self, say: Say, build: NodeBuild) -> Say:
        """The same, as a reply if the node quotes a message."""
        if not self.reply_to:
            return say
        quoted = build.rendering(self.reply_to, "reply_to")

        def reply(run: Execution) -> None:
            message_id = meta_id(quoted(run))
            if message_id is not None:
                run.reply(message_id, say)
            else:
                say(run)

        return reply

    def _choice(self, options: Options | CardOptions, frame: Frame, build: NodeBuild) -> NodeHandlers:
        node, following = build.node, build.target(self.next_node_id, "next_node_id")
        offer = self._replying(offering(self.text, "text", options, frame, build), build)
        store = self._storing(options, build)
        again = build.built_in_text("not_understood")
        stale = build.built_in_text("stale_option")
        wait_step, invalid, stale_step = build.step("wait"), build.step("invalid"), build.step("stale")
        exits: dict[str, tuple[Step, CompiledNode]] = {
            choice.value: (build.step(f"button:{choice.value}"), choice.target or following)
            for choice in options.choices
        }

        def enter(run: Execution) -> CompiledNode | None:
            offer(run)
            run.path.append(wait_step)
            run.attempts = 0
            run.wait(node)
            return None

        def answer(run: Execution) -> CompiledNode | None:
            choice = options.match(run)
            if choice is not None:
                if store is not None:
                    store(run, choice.value)
                step, target = exits[choice.value]
                run.path.append(step)
                return target
            if run.input.reply_id is not None:
                run.path.append(stale_step)
                run.emit("stale_reply", node_id=node.node_id, reply_id=run.input.reply_id)
                options.offer(run, stale)
            else:
                run.path.append(invalid)
                run.attempts += 1
                options.offer(run, again)
            run.wait(node)
            return None

        return NodeHandlers(enter, answer=answer, offered=options.typed)

    def _storing(self, options: Options | CardOptions, build: NodeBuild) -> Callable[[Execution, str], None] | None:
        """A function that stores the chosen value; None if the node does not store it."""
        if not self.variable:
            return None
        build.question(self.variable, self.text, "text")
        store = build.variable(self.variable, "variable", f"button:{options.choices[0].value}")
        build.facts.writes.pop()
        for choice in options.choices:
            source = Constant(choice.value) if "{{" not in choice.value else None
            build.facts.writes.append(Write(self.variable, f"button:{choice.value}", source))
        return store

    def _saying(self, frame: Frame, build: NodeBuild) -> Say:
        if self.cta_url is not None:
            return self._link(self.cta_url, frame, build)
        if self.location_request:
            return asking_for_place(self.text, "text", frame, build)
        if self.contact_request:
            return asking_for_phone(self.text, "text", frame, build)
        content = self._content(frame, build)
        if content is not None:
            return content
        if not any(part and part.strip() for part in (self.text, self.header, self.footer)) and self.media is None:
            build.problem("missing_field", "text", "The message is empty. Enter a `text` or add `media`.")
        return saying(self.text, "text", frame, build)

    def _content(self, frame: Frame, build: NodeBuild) -> Say | None:
        """A function that sends the node's place, contacts, products or reaction; None if it has none."""
        if self.location is not None:
            return showing_place(self.location, self.text, frame, build)
        if self.contacts:
            return showing_contacts(self.contacts, self.text, frame, build)
        if self.product is not None:
            return showing_product(self.product, self.text, frame, build)
        if self.products is not None:
            return showing_products(self.products, self.text, self.header, frame, build)
        if self.catalog is not None:
            return showing_catalog(self.catalog, self.text, frame, build)
        if self.carousel:
            return showing_cards(self.carousel, self.text, frame, build)
        if self.reaction is None:
            return None
        react, after = reacting(self.reaction, build), saying(self.text, "text", frame, build)

        def say(run: Execution) -> None:
            react(run)
            after(run)

        return say

    def _link(self, cta: CtaSpec, frame: Frame, build: NodeBuild) -> Say:
        build.limit(cta.label, meta.CTA_DISPLAY_TEXT, "cta_url.label", "The label of a link")
        text, url = build.rendering(self.text, "text"), build.rendering(cta.url, "cta_url.url")
        check_body(self.text, meta.INTERACTIVE_BODY, "text", build)
        check_link(cta.url, "cta_url.url", build)
        label, otherwise = build.rendering(cta.label, "cta_url.label"), build.built_in_text("open_link")
        node = build.node

        def say(run: Execution) -> None:
            top: str | MediaHeader | None = frame.header(run) or None
            sent = frame.media(run) if frame.media is not None else None
            if sent is not None:
                above = None if top or sent.caption else media_header(sent)
                if above is None:
                    run.send(sent)
                top = top or above
            title = truncate(label(run).strip() or otherwise, meta.CTA_DISPLAY_TEXT)
            body, address = text(run), web_address(url(run))
            if address is None:
                leave_out(run, node)
                run.say(body)
                return
            body = run.body(body if body.strip() else title, meta.INTERACTIVE_BODY, merge=top is None)
            run.send(CtaUrl(body, title, address, top, frame.footer(run) or None))

        return say
