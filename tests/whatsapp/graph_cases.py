"""Messages and Meta's requests for them."""

from typing import Any

from pytake.whatsapp.outbound import (
    Button,
    CtaUrl,
    FlowForm,
    LocationRequest,
    Media,
    MediaHeader,
    OptionList,
    OutboundMessage,
    ReplyButtons,
    Row,
    Template,
    Text,
)

PARAMETERS = [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]

CASES: list[tuple[str, OutboundMessage, dict[str, Any]]] = [
    ("text", Text("Oi"), {"type": "text", "text": {"body": "Oi", "preview_url": False}}),
    (
        "text_with_preview",
        Text("https://example.com", preview_url=True),
        {"type": "text", "text": {"body": "https://example.com", "preview_url": True}},
    ),
    (
        "buttons",
        ReplyButtons("Como posso ajudar?", [Button("sales", "Vendas"), Button("help", "Suporte")], "PyTake", "Rodapé"),
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "text", "text": "PyTake"},
                "body": {"text": "Como posso ajudar?"},
                "footer": {"text": "Rodapé"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "sales", "title": "Vendas"}},
                        {"type": "reply", "reply": {"id": "help", "title": "Suporte"}},
                    ]
                },
            },
        },
    ),
    (
        "buttons_under_a_document",
        ReplyButtons("Leu?", [Button("yes", "Sim")], MediaHeader("document", id="77", filename="contrato.pdf")),
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "document", "document": {"id": "77", "filename": "contrato.pdf"}},
                "body": {"text": "Leu?"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Sim"}}]},
            },
        },
    ),
    (
        "buttons_under_a_picture",
        ReplyButtons("Gostou?", [Button("yes", "Sim")], MediaHeader("image", link="https://example.com/a.jpg")),
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "image", "image": {"link": "https://example.com/a.jpg"}},
                "body": {"text": "Gostou?"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "yes", "title": "Sim"}}]},
            },
        },
    ),
    (
        "list",
        OptionList("Escolha", "Ver planos", [Row("basic", "Básico"), Row("pro", "Pro", "R$ 99 por mês")]),
        {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "body": {"text": "Escolha"},
                "action": {
                    "button": "Ver planos",
                    "sections": [
                        {
                            "rows": [
                                {"id": "basic", "title": "Básico"},
                                {"id": "pro", "title": "Pro", "description": "R$ 99 por mês"},
                            ]
                        }
                    ],
                },
            },
        },
    ),
    (
        "cta_url",
        CtaUrl("Pague aqui", "Pagar", "https://example.com/pay"),
        {
            "type": "interactive",
            "interactive": {
                "type": "cta_url",
                "body": {"text": "Pague aqui"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Pagar", "url": "https://example.com/pay"},
                },
            },
        },
    ),
    (
        "location_request",
        LocationRequest("Onde você está?"),
        {
            "type": "interactive",
            "interactive": {
                "type": "location_request_message",
                "body": {"text": "Onde você está?"},
                "action": {"name": "send_location"},
            },
        },
    ),
    (
        "image_by_link",
        Media("image", link="https://example.com/a.jpg", caption="Foto"),
        {"type": "image", "image": {"link": "https://example.com/a.jpg", "caption": "Foto"}},
    ),
    ("video_by_id", Media("video", id="77"), {"type": "video", "video": {"id": "77"}}),
    (
        "document",
        Media("document", id="77", caption="Contrato", filename="c.pdf"),
        {"type": "document", "document": {"id": "77", "caption": "Contrato", "filename": "c.pdf"}},
    ),
    ("audio_has_no_caption", Media("audio", id="77", caption="x"), {"type": "audio", "audio": {"id": "77"}}),
    ("sticker", Media("sticker", id="77", filename="x.webp"), {"type": "sticker", "sticker": {"id": "77"}}),
    (
        "template",
        Template("reminder", "pt_BR", PARAMETERS),
        {
            "type": "template",
            "template": {"name": "reminder", "language": {"code": "pt_BR"}, "components": PARAMETERS},
        },
    ),
    (
        "template_without_parameters",
        Template("hello_world", "en_US"),
        {"type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}},
    ),
    (
        "form",
        FlowForm("Cadastre-se", "991", "Abrir", "token-1", screen="SIGN_UP", data={"plan": "pro"}, footer="Seguro"),
        {
            "type": "interactive",
            "interactive": {
                "type": "flow",
                "body": {"text": "Cadastre-se"},
                "footer": {"text": "Seguro"},
                "action": {
                    "name": "flow",
                    "parameters": {
                        "flow_message_version": "3",
                        "flow_token": "token-1",
                        "flow_id": "991",
                        "flow_cta": "Abrir",
                        "flow_action": "navigate",
                        "flow_action_payload": {"screen": "SIGN_UP", "data": {"plan": "pro"}},
                    },
                },
            },
        },
    ),
    (
        "form_from_its_first_screen",
        FlowForm("Cadastre-se", "991", "Abrir", "token-1"),
        {
            "type": "interactive",
            "interactive": {
                "type": "flow",
                "body": {"text": "Cadastre-se"},
                "action": {
                    "name": "flow",
                    "parameters": {
                        "flow_message_version": "3",
                        "flow_token": "token-1",
                        "flow_id": "991",
                        "flow_cta": "Abrir",
                    },
                },
            },
        },
    ),
]
