"""Messages and Meta's requests for them."""

from typing import Any

from pytake.whatsapp.outbound import (
    Button,
    Card,
    Carousel,
    Catalog,
    ContactCard,
    ContactCards,
    ContactRequest,
    CtaUrl,
    FlowForm,
    Location,
    LocationRequest,
    Media,
    MediaHeader,
    OptionList,
    OutboundMessage,
    Product,
    ProductList,
    ProductSection,
    Reaction,
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
        "contact_request",
        ContactRequest("Qual é o seu número?"),
        {
            "type": "interactive",
            "interactive": {
                "type": "request_contact_info",
                "body": {"text": "Qual é o seu número?"},
                "action": {"name": "request_contact_info"},
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
    (
        "reply",
        Text("Sim", reply_to="wamid.A"),
        {"type": "text", "text": {"body": "Sim", "preview_url": False}, "context": {"message_id": "wamid.A"}},
    ),
    (
        "reaction",
        Reaction("wamid.A", "👍"),
        {"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": "👍"}},
    ),
    (
        "reaction_removed",
        Reaction("wamid.A", ""),
        {"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": ""}},
    ),
    (
        "location",
        Location(-23.5, -46.6, "Loja", "Rua 1"),
        {
            "type": "location",
            "location": {"latitude": -23.5, "longitude": -46.6, "name": "Loja", "address": "Rua 1"},
        },
    ),
    (
        "contacts",
        ContactCards(
            [
                ContactCard(
                    "Ana Silva",
                    ["+5511987654321", "11 5555"],
                    ["ana@example.com"],
                    ["https://example.com"],
                    "Loja",
                )
            ]
        ),
        {
            "type": "contacts",
            "contacts": [
                {
                    "name": {"formatted_name": "Ana Silva", "first_name": "Ana"},
                    "phones": [{"phone": "+5511987654321", "wa_id": "5511987654321"}, {"phone": "11 5555"}],
                    "emails": [{"email": "ana@example.com"}],
                    "urls": [{"url": "https://example.com"}],
                    "org": {"company": "Loja"},
                }
            ],
        },
    ),
    (
        "product_without_text",
        Product("", "7", "sku1"),
        {
            "type": "interactive",
            "interactive": {"type": "product", "action": {"catalog_id": "7", "product_retailer_id": "sku1"}},
        },
    ),
    (
        "products",
        ProductList("Escolha", "Novos", "7", [ProductSection(["sku1", "sku2"], "Camisas")], "Rodapé", "wamid.A"),
        {
            "type": "interactive",
            "context": {"message_id": "wamid.A"},
            "interactive": {
                "type": "product_list",
                "header": {"type": "text", "text": "Novos"},
                "body": {"text": "Escolha"},
                "footer": {"text": "Rodapé"},
                "action": {
                    "catalog_id": "7",
                    "sections": [
                        {
                            "title": "Camisas",
                            "product_items": [{"product_retailer_id": "sku1"}, {"product_retailer_id": "sku2"}],
                        }
                    ],
                },
            },
        },
    ),
    (
        "catalog",
        Catalog("Tudo", "sku1"),
        {
            "type": "interactive",
            "interactive": {
                "type": "catalog_message",
                "body": {"text": "Tudo"},
                "action": {"name": "catalog_message", "parameters": {"thumbnail_product_retailer_id": "sku1"}},
            },
        },
    ),
    (
        "catalog_without_thumbnail",
        Catalog("Tudo"),
        {
            "type": "interactive",
            "interactive": {
                "type": "catalog_message",
                "body": {"text": "Tudo"},
                "action": {"name": "catalog_message"},
            },
        },
    ),
    (
        "carousel_of_links",
        Carousel("Veja", [Card(MediaHeader("image", id=id_), "Um", "Abrir", "https://example.com") for id_ in "12"]),
        {
            "type": "interactive",
            "interactive": {
                "type": "carousel",
                "body": {"text": "Veja"},
                "action": {
                    "cards": [
                        {
                            "card_index": index,
                            "type": "cta_url",
                            "header": {"type": "image", "image": {"id": str(index + 1)}},
                            "body": {"text": "Um"},
                            "action": {
                                "name": "cta_url",
                                "parameters": {"display_text": "Abrir", "url": "https://example.com"},
                            },
                        }
                        for index in (0, 1)
                    ]
                },
            },
        },
    ),
    (
        "carousel_of_options",
        Carousel("Veja", [Card(MediaHeader("video", id="1"), buttons=[Button(id_, "Quero")]) for id_ in "ab"]),
        {
            "type": "interactive",
            "interactive": {
                "type": "carousel",
                "body": {"text": "Veja"},
                "action": {
                    "cards": [
                        {
                            "card_index": index,
                            "type": "cta_url",
                            "header": {"type": "video", "video": {"id": "1"}},
                            "action": {
                                "buttons": [{"type": "quick_reply", "quick_reply": {"id": id_, "title": "Quero"}}]
                            },
                        }
                        for index, id_ in enumerate("ab")
                    ]
                },
            },
        },
    ),
    (
        "carousel_of_products",
        Carousel("Veja", [Card(catalog_id="7", product_retailer_id=sku) for sku in ("sku1", "sku2")]),
        {
            "type": "interactive",
            "interactive": {
                "type": "carousel",
                "body": {"text": "Veja"},
                "action": {
                    "cards": [
                        {
                            "card_index": index,
                            "type": "product",
                            "action": {"product_retailer_id": sku, "catalog_id": "7"},
                        }
                        for index, sku in enumerate(("sku1", "sku2"))
                    ]
                },
            },
        },
    ),
]
