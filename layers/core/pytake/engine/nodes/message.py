from collections.abc import Callable
from typing import ClassVar

from msgspec import Struct

from pytake.engine.execution import CompiledNode, Execution, NodeHandlers, Say
from pytake.engine.field_types import Button
from pytake.engine.node_build import NodeBuild
from pytake.engine.options import Options
from pytake.engine.registry import NodeData, node_type
from pytake.engine.text_split import truncate
from pytake.engine.turn import Step
from pytake.whatsapp import limits as meta
from pytake.whatsapp.outbound import CtaUrl, LocationRequest, Media, MediaHeader, MediaKind

_WITH_CAPTION = ("image", "video", "document")
MakeMedia = Callable[[Execution], Media | None]
"""The file to send; None (and an event) if its address is empty."""


class MediaSpec(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A file: `type` (image, video, audio, document, sticker), and a public `link` or the `id` of an upload."""

    type: MediaKind
    link: str | None = None
    id: str | None = None
    caption: str | None = None
    filename: str | None = None


class CtaSpec(Struct, kw_only=True, forbid_unknown_fields=True):
    """A button that opens a web page."""

    label: str
    url: str


@node_type("message")
class Message(NodeData):
    """Sends a text, media, a link button, a location request, or options to choose from.

    With `buttons` the node waits for a choice. The path continues at the button's `next_node_id`, or at the node's if the button
    has none. Up to 3 buttons are reply buttons, 4 to 10 a list. Any other answer is answered with the same options again. A tap
    on a button of an older message counts only if its value is one of these options. Without `buttons` the path continues
    immediately, also after a `location_request`: use a question to wait for the location.

    An image, video or document appears above reply buttons in the same message; before a list it is a message of its own. A text
    with media becomes its caption if it fits. Without buttons, `header` and `footer` become lines of the text.
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
        "cta_url.label",
        "cta_url.url?",
    )

    text: str | None = None
    media: MediaSpec | None = None
    header: str | None = None
    footer: str | None = None
    buttons: list[Button] | None = None
    cta_url: CtaSpec | None = None
    location_request: bool | None = None
    next_node_id: str | None = None

    def compile(self, build: NodeBuild) -> NodeHandlers:
        """Compile the message and, with buttons, the answers to it."""
        if sum((bool(self.buttons), self.cta_url is not None, bool(self.location_request))) > 1:
            message = "Only one of `buttons`, `cta_url` and `location_request` can be used. Keep one of them."
            build.problem("conflicting_fields", "buttons", message)
        media = _media(self.media, build) if self.media else None
        if self.buttons:
            return self._choice(Options(self.buttons, build), media, build)
        say = self._saying(media, build)
        following, step = build.target(self.next_node_id, "next_node_id"), build.step("next")

        def enter(run: Execution) -> CompiledNode | None:
            say(run)
            run.path.append(step)
            return following

        return NodeHandlers(enter)

    def _choice(self, options: Options, media: MakeMedia | None, build: NodeBuild) -> NodeHandlers:
        node, following = build.node, build.target(self.next_node_id, "next_node_id")
        offer = self._offering(options, media, build)
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

    def _offering(self, options: Options, media: MakeMedia | None, build: NodeBuild) -> Say:
        text = build.rendering(self.text, "text")
        header, footer = self._header(build), self._footer(build)
        fixed = options.fixed(self.text or "") if not build.merge_texts and "{{" not in (self.text or "") else None
        if fixed is not None and media is None and not self.header and not self.footer:
            return lambda run: run.messages.append(fixed)

        def offer(run: Execution) -> None:
            top: str | MediaHeader | None = header(run)
            body = text(run)
            sent = media(run) if media is not None else None
            if sent is not None:
                above = _media_header(sent) if options.body_limit == meta.INTERACTIVE_BODY and not top else None
                if above is not None and not sent.caption:
                    top = above
                else:
                    run.send(sent)
            options.offer(run, body, top, footer(run))

        return offer

    def _header(self, build: NodeBuild) -> Callable[[Execution], str]:
        build.limit(self.header, meta.HEADER_TEXT, "header", "A header")
        render = build.rendering(self.header, "header")
        return lambda run: truncate(" ".join(render(run).split()), meta.HEADER_TEXT)

    def _footer(self, build: NodeBuild) -> Callable[[Execution], str]:
        build.limit(self.footer, meta.FOOTER, "footer", "A footer")
        render = build.rendering(self.footer, "footer")
        return lambda run: truncate(" ".join(render(run).split()), meta.FOOTER)

    def _saying(self, media: MakeMedia | None, build: NodeBuild) -> Say:
        if self.cta_url is not None:
            return self._link(self.cta_url, media, build)
        if self.location_request:
            return self._asking_for_place(media, build)
        if not any(part and part.strip() for part in (self.text, self.header, self.footer)) and media is None:
            build.problem("missing_field", "text", "The message is empty. Enter a `text` or add `media`.")
        if not self.header and not self.footer and media is None:
            return build.say(self.text, "text") or (lambda _: None)
        text, header, footer = build.rendering(self.text, "text"), self._header(build), self._footer(build)

        def say(run: Execution) -> None:
            body = _with_lines(header(run), text(run), footer(run))
            sent = media(run) if media is not None else None
            if sent is None:
                run.say(body)
            elif body and not sent.caption and sent.media in _WITH_CAPTION and len(body) <= meta.CAPTION:
                run.send(Media(sent.media, sent.link, sent.id, body, sent.filename))
            else:
                run.send(sent)
                run.say(body)

        return say

    def _asking_for_place(self, media: MakeMedia | None, build: NodeBuild) -> Say:
        text, fallback = build.rendering(self.text, "text"), build.built_in_text("invalid_location")
        header, footer = self._header(build), self._footer(build)

        def say(run: Execution) -> None:
            sent = media(run) if media is not None else None
            if sent is not None:
                run.send(sent)
            body = _with_lines(header(run), text(run), footer(run))
            run.send(LocationRequest(run.body(body or fallback, meta.INTERACTIVE_BODY)))

        return say

    def _link(self, cta: CtaSpec, media: MakeMedia | None, build: NodeBuild) -> Say:
        build.limit(cta.label, meta.CTA_DISPLAY_TEXT, "cta_url.label", "The label of a link")
        text, url = build.rendering(self.text, "text"), build.rendering(cta.url, "cta_url.url")
        label, otherwise = build.rendering(cta.label, "cta_url.label"), build.built_in_text("open_link")
        node = build.node
        header, footer = self._header(build), self._footer(build)

        def say(run: Execution) -> None:
            top: str | MediaHeader | None = header(run) or None
            sent = media(run) if media is not None else None
            if sent is not None:
                above = None if top or sent.caption else _media_header(sent)
                if above is None:
                    run.send(sent)
                top = top or above
            title = truncate(label(run).strip() or otherwise, meta.CTA_DISPLAY_TEXT)
            body, address = text(run), url(run).strip()
            if not address:
                _leave_out(run, node)
                run.say(body)
                return
            body = run.body(body if body.strip() else title, meta.INTERACTIVE_BODY, merge=top is None)
            run.send(CtaUrl(body, title, address, top, footer(run) or None))

        return say


def _with_lines(header: str, text: str, footer: str) -> str:
    """The text with header and footer as lines, for message types that have neither."""
    lines = (f"*{header}*" if header else "", text, f"_{footer}_" if footer else "")
    return "\n".join(line for line in lines if line.strip())


def _leave_out(run: Execution, node: CompiledNode) -> None:
    run.emit("address_missing", node_id=node.node_id)


def _media(spec: MediaSpec, build: NodeBuild) -> MakeMedia:
    if bool(spec.link) == bool(spec.id):
        build.problem(
            "conflicting_fields", "media", "Media needs either a `link` or an `id`. Enter exactly one of them."
        )
    build.limit(spec.caption, meta.CAPTION, "media.caption", "A caption")
    if spec.caption and spec.type not in _WITH_CAPTION:
        build.problem(
            "conflicting_fields", "media.caption", f"WhatsApp does not show a caption for {spec.type}. Use `text`."
        )
    link, id_ = build.template(spec.link, "media.link"), build.template(spec.id, "media.id")
    caption, filename = build.template(spec.caption, "media.caption"), build.template(spec.filename, "media.filename")

    def value(part: str | Callable[[Execution], str], run: Execution) -> str | None:
        return (part if isinstance(part, str) else part(run)).strip() or None

    node = build.node

    def make(run: Execution) -> Media | None:
        text, address, uploaded = value(caption, run), value(link, run), value(id_, run)
        if address is None and uploaded is None:
            _leave_out(run, node)
            if text:
                run.say(text)
            return None
        return Media(
            spec.type,
            address,
            uploaded,
            truncate(text, meta.CAPTION) if text and spec.type in _WITH_CAPTION else None,
            value(filename, run),
        )

    return make


def _media_header(media: Media) -> MediaHeader | None:
    if media.media == "image" or media.media == "video" or media.media == "document":
        return MediaHeader(media.media, media.link, media.id, media.filename)
    return None
