"""What a node says: a text or options, with a file, a header and a footer."""

import re
from collections.abc import Callable
from urllib.parse import quote

from msgspec import Struct

from pytake.engine.execution import CompiledNode, Execution, Say
from pytake.engine.facts import FileUse
from pytake.engine.node_build import NodeBuild
from pytake.engine.options import Offering
from pytake.engine.template import TemplateError, parse_template
from pytake.engine.text_split import truncate
from pytake.whatsapp import limits as meta
from pytake.whatsapp.library_files import is_library_file
from pytake.whatsapp.outbound import ContactRequest, LocationRequest, Media, MediaHeader, MediaKind

_WITH_CAPTION = ("image", "video", "document")
_LONGEST_ENDING = 10
_KNOWN_ENDINGS = {"gif", "bmp", "tiff", "svg", "heic", "mov", "avi", "mkv", "webm", "wav", "flac", "pdf"}.union(
    *meta.MEDIA_ENDINGS.values()
)
_META_ID = re.compile(rf"[!-~]{{1,{meta.META_ID}}}")
_WEB_ADDRESS = re.compile(r"(https?://)([^\s/?#]+)((?:[/?#].*)?)", re.IGNORECASE | re.DOTALL)
_NOT_IN_ADDRESS = re.compile(r"[\s\x00-\x1f\x7f]")
MakeMedia = Callable[[Execution], Media | None]
"""The file to send; None (and an event) if it has neither a web address nor the id of an upload."""
Offer = Callable[..., None]
"""`offer(run, without=(), extra=None)` sends the options, see `Offering.offer`."""


class MediaSpec(Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A file: `type` (image, video, audio, document, sticker), and a public `link` or an `id`: of a library file, or of a file
    that was uploaded to Meta."""

    type: MediaKind
    link: str | None = None
    id: str | None = None
    caption: str | None = None
    filename: str | None = None


class Frame(Struct, frozen=True):
    """The surroundings of a text: the compiled header, footer and file of a node."""

    header: Callable[[Execution], str]
    footer: Callable[[Execution], str]
    media: MakeMedia | None
    is_empty: bool


def compile_frame(header: str | None, footer: str | None, media: MediaSpec | None, build: NodeBuild) -> Frame:
    """Compile the header, the footer and the file of a node."""
    return Frame(
        _line(header, meta.HEADER_TEXT, "header", "A header", build),
        _line(footer, meta.FOOTER, "footer", "A footer", build),
        compile_media(media, build, "media") if media else None,
        not (header or footer or media),
    )


def _line(text: str | None, limit: int, field: str, what: str, build: NodeBuild) -> Callable[[Execution], str]:
    build.limit(text, limit, field, what)
    render = build.rendering(text, field)
    return lambda run: truncate(" ".join(render(run).split()), limit)


def saying(text: str | None, field: str, frame: Frame, build: NodeBuild) -> Say:
    """A function that sends a text with its header, footer and file. A text with a file becomes its caption if it fits."""
    if frame.is_empty:
        return build.say(text, field) or (lambda _: None)
    body_of = build.rendering(text, field)

    def say(run: Execution) -> None:
        body = with_lines(frame.header(run), body_of(run), frame.footer(run))
        sent = frame.media(run) if frame.media is not None else None
        if sent is None:
            run.say(body)
        elif body and not sent.caption and sent.media in _WITH_CAPTION and len(body) <= meta.CAPTION:
            run.send(Media(sent.media, sent.link, sent.id, body, sent.filename))
        else:
            run.send(sent)
            run.say(body)

    return say


def offering(
    text: str | None, field: str, options: Offering, frame: Frame, build: NodeBuild, *, under_last_text: bool = False
) -> Offer:
    """A function that offers options under a text; with `under_last_text`, under the turn's last one if there is none."""
    body_of = build.rendering(text, field)
    check_body(text, options.body_limit, field, build)
    fixed = options.fixed(text or "") if not build.merge_texts and "{{" not in (text or "") and frame.is_empty else None

    def offer(run: Execution, without: frozenset[str] = frozenset(), extra: str | None = None) -> None:
        if fixed is not None and not without and extra is None:
            run.messages.append(fixed)
            return
        top: str | MediaHeader | None = frame.header(run)
        body = body_of(run)
        sent = frame.media(run) if frame.media is not None else None
        if under_last_text and not body.strip():
            body = run.last_text(options.body_limit)
        if sent is not None:
            above = None if options.is_list or top else media_header(sent)
            if above is not None and not sent.caption:
                top = above
            else:
                run.send(sent)
        options.offer(run, body, top, frame.footer(run), without, extra)

    return offer


def asking_for_place(
    text: str | None, field: str, frame: Frame, build: NodeBuild, *, under_last_text: bool = False
) -> Say:
    """A function that asks for a location; with `under_last_text`, under the turn's last text if there is none."""
    fallback = build.built_in_text("invalid_location")
    return _asking(LocationRequest, text, field, frame, build, fallback, under_last_text)


def asking_for_phone(text: str | None, field: str, frame: Frame, build: NodeBuild) -> Say:
    """A function that asks for the person's own phone number."""
    return _asking(ContactRequest, text, field, frame, build, build.built_in_text("invalid_phone"))


def _asking(
    message: type[LocationRequest] | type[ContactRequest],
    text: str | None,
    field: str,
    frame: Frame,
    build: NodeBuild,
    fallback: str,
    under_last_text: bool = False,
) -> Say:
    body_of = build.rendering(text, field)
    check_body(text, meta.INTERACTIVE_BODY, field, build)

    def say(run: Execution) -> None:
        body = with_lines(frame.header(run), body_of(run), frame.footer(run))
        if under_last_text and not body:
            body = run.last_text(meta.INTERACTIVE_BODY)
        sent = frame.media(run) if frame.media is not None else None
        if sent is not None:
            run.send(sent)
        run.send(message(run.body(body or fallback, meta.INTERACTIVE_BODY)))

    return say


def check_body(text: str | None, limit: int, field: str, build: NodeBuild) -> None:
    """Warn about a body that does not fit into its message with buttons or a link: what is too much is sent before it."""
    try:
        parts = parse_template(text or "")
    except TemplateError:
        return  # reported where the text is rendered
    shortest = sum(len(part) for part in parts if isinstance(part, str))
    if shortest > limit:
        message = (
            f"{shortest} characters with buttons or a link: people get two messages or more, and each is billed. "
            f"{limit} characters fit in one. Shorten it."
        )
        build.problem("sent_as_two", field, message)


def with_lines(header: str, text: str, footer: str) -> str:
    """The text with header and footer as lines, for message types that have neither."""
    lines = (f"*{header}*" if header else "", text, f"_{footer}_" if footer else "")
    return "\n".join(line for line in lines if line.strip())


def web_address(text: str) -> str | None:
    """The address that Meta can open; None for any other text, such as a person's answer.

    It has `http` or `https`, a host, and at most `meta.ADDRESS` characters. White space behind the host is encoded.
    Meta refuses the whole message for another one, so that the person would get nothing.
    """
    found = _WEB_ADDRESS.fullmatch(text.strip())
    if found is None:
        return None
    address = found[1].lower() + found[2] + _NOT_IN_ADDRESS.sub(lambda one: quote(one[0]), found[3])
    return address if len(address) <= meta.ADDRESS else None


def meta_id(text: str) -> str | None:
    """The id that Meta gave to a message or an upload; None for a text that cannot be one, such as a sentence."""
    found = text.strip()
    return found if _META_ID.fullmatch(found) else None


def file_name(text: str) -> str | None:
    """The name of a document in one line, within the limit and with its ending, which selects the icon; None if it is empty."""
    name = " ".join(text.split())
    if len(name) > meta.FILENAME:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if 0 < len(ending) <= _LONGEST_ENDING and stem else ""
        name = truncate(name.removesuffix(ending), meta.FILENAME - len(ending)) + ending
    return name or None


def check_link(link: str | None, field: str, build: NodeBuild) -> None:
    """Warn about a link that can never be a web address. One that begins with an expression may be."""
    if link and link.strip() and not link.lstrip().startswith("{{") and web_address(link) is None:
        message = "A link must begin with https:// or http://; this one is left out. Correct it."
        build.problem("unusable_link", field, message)


def leave_out(run: Execution, node: CompiledNode) -> None:
    run.emit("address_missing", node_id=node.node_id)


def compile_media(spec: MediaSpec, build: NodeBuild, field: str) -> MakeMedia:
    """A function that gives the file in this field."""
    if not spec.link and not spec.id:
        build.problem("missing_field", f"{field}.link", "Media needs either a `link` or an `id`. Enter one of them.")
    elif spec.link and spec.id:
        message = "Media needs either a `link` or an `id`, not both. Remove one of them."
        build.problem("conflicting_fields", field, message)
    build.limit(spec.caption, meta.CAPTION, f"{field}.caption", "A caption")
    _check_file_type(spec, build, field)
    if spec.caption and spec.type not in _WITH_CAPTION:
        message = f"WhatsApp does not show a caption for {spec.type}. Use `text`."
        build.problem("conflicting_fields", f"{field}.caption", message)
    check_link(spec.link, f"{field}.link", build)
    if is_library_file(spec.id) and "{{" not in spec.id:
        build.facts.files.append(FileUse(spec.id, spec.type, f"{field}.id"))
    link, id_ = build.template(spec.link, f"{field}.link"), build.template(spec.id, f"{field}.id")
    caption = build.template(spec.caption, f"{field}.caption")
    filename = build.template(spec.filename, f"{field}.filename")

    def value(part: str | Callable[[Execution], str], run: Execution) -> str:
        return (part if isinstance(part, str) else part(run)).strip()

    node = build.node

    def make(run: Execution) -> Media | None:
        text, address, uploaded = value(caption, run), web_address(value(link, run)), meta_id(value(id_, run))
        if address is None and uploaded is None:
            leave_out(run, node)
            if text:
                run.say(text)
            return None
        return Media(
            spec.type,
            address,
            uploaded,
            truncate(text, meta.CAPTION) if text and spec.type in _WITH_CAPTION else None,
            file_name(value(filename, run)),
        )

    return make


def _check_file_type(spec: MediaSpec, build: NodeBuild, field: str) -> None:
    """Warn about a link to a file that is known to be of another type. A link may have any other ending, or none."""
    ending = (spec.link or "").partition("?")[0].partition("#")[0].rpartition(".")[2].lower()
    accepted = meta.MEDIA_ENDINGS.get(spec.type)
    if accepted is not None and ending not in accepted and ending in _KNOWN_ENDINGS:
        message = (
            f"WhatsApp does not accept .{ending} files as {spec.type}. Use {', '.join(accepted)}, or another `type`."
        )
        build.problem("unsupported_media", f"{field}.link", message)


def media_header(media: Media) -> MediaHeader | None:
    if media.media == "image" or media.media == "video" or media.media == "document":
        return MediaHeader(media.media, media.link, media.id, media.filename)
    return None
