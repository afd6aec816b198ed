"""Messages as a person reads them."""

from pytake.whatsapp.outbound import (
    CtaUrl,
    FlowForm,
    LocationRequest,
    Media,
    MediaHeader,
    OptionList,
    OutboundMessage,
    ReplyButtons,
    Template,
    Text,
)


def render_message(message: OutboundMessage) -> str:
    """The message as one text: header, body and footer as paragraphs, then the options in square brackets."""
    match message:
        case Text(text):
            return text
        case ReplyButtons(text, buttons, header, footer):
            return _paragraphs(_header(header), text, footer, _options(*(button.title for button in buttons)))
        case OptionList(text, _, rows, header, footer):
            return _paragraphs(_header(header), text, footer, _options(*(row.title for row in rows)))
        case CtaUrl(text, label, url, header, footer):
            return _paragraphs(_header(header), text, footer, f"[{label}]({url})")
        case LocationRequest(text):
            return _paragraphs(text, "[location]")
        case FlowForm():
            return _paragraphs(_header(message.header), message.text, message.footer, _options(message.cta))
        case Media():
            return _paragraphs(f"({message.media} {message.link or message.id})", message.caption)
        case Template():
            return f"(template {message.name} {message.language})"


def _options(*labels: str) -> str:
    return " ".join(f"[{label}]" for label in labels)


def _header(header: str | MediaHeader | None) -> str | None:
    return f"({header.media} {header.link or header.id})" if isinstance(header, MediaHeader) else header


def _paragraphs(*parts: str | None) -> str:
    return "\n\n".join(part for part in parts if part)
