"""The built-in texts in every supported language. A flow's `language` selects one; a flow's own text takes precedence."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

Language = Literal["pt_BR", "en", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

_TEXTS: dict[str, dict[Language, str]] = {
    "apology": {
        "pt_BR": "Desculpe, algo deu errado por aqui. Pode tentar de novo?",
        "en": "Sorry, something went wrong on our side. Could you try again?",
        "es": "Lo sentimos, algo salió mal de nuestro lado. ¿Puedes intentarlo de nuevo?",
    },
    "opted_out": {
        "pt_BR": "Tudo bem, você não receberá mais mensagens. Se mudar de ideia, é só escrever para nós.",
        "en": "All right, you will not receive any more messages. If you change your mind, just write to us.",
        "es": "De acuerdo, no recibirás más mensajes. Si cambias de idea, solo escríbenos.",
    },
    "human": {
        "pt_BR": "Vou chamar alguém da nossa equipe. Um momento, por favor.",
        "en": "I will get someone from our team. One moment, please.",
        "es": "Voy a llamar a alguien de nuestro equipo. Un momento, por favor.",
    },
    "too_many_messages": {
        "pt_BR": "Recebemos muitas mensagens suas de uma vez. Espere um minuto e escreva de novo, por favor.",
        "en": "We got many messages from you at once. Please wait a minute and write again.",
        "es": "Recibimos muchos mensajes tuyos a la vez. Espera un minuto y escribe de nuevo, por favor.",
    },
    "attempts_exceeded": {
        "pt_BR": "Vamos parar por aqui. Quando quiser recomeçar, é só escrever de novo.",
        "en": "Let us stop here for now. Write to us again whenever you would like to start over.",
        "es": "Lo dejamos aquí por ahora. Cuando quieras volver a empezar, escríbenos de nuevo.",
    },
    "stale_option": {
        "pt_BR": "Essa opção não está mais disponível.",
        "en": "That option is no longer available.",
        "es": "Esa opción ya no está disponible.",
    },
    "choose_option": {
        "pt_BR": "Por favor, escolha uma das opções.",
        "en": "Please choose one of the options.",
        "es": "Por favor, elige una de las opciones.",
    },
    "not_understood": {
        "pt_BR": "Desculpe, não entendi. Por favor, escolha uma das opções.",
        "en": "Sorry, I did not get that. Please choose one of the options.",
        "es": "Perdón, no entendí. Por favor, elige una de las opciones.",
    },
    "choose_more": {
        "pt_BR": "Anotado. Escolha mais uma opção ou conclua.",
        "en": "Noted. Choose another option, or finish.",
        "es": "Anotado. Elige otra opción o termina.",
    },
    "done": {"pt_BR": "Concluir", "en": "Done", "es": "Terminar"},
    "see_options": {"pt_BR": "Ver opções", "en": "See options", "es": "Ver opciones"},
    "invalid_text": {
        "pt_BR": "Por favor, responda com uma mensagem de texto.",
        "en": "Please answer with a text message.",
        "es": "Por favor, responde con un mensaje de texto.",
    },
    "text_too_short": {
        "pt_BR": "Por favor, escreva pelo menos {min} caracteres.",
        "en": "Please write at least {min} characters.",
        "es": "Por favor, escribe al menos {min} caracteres.",
    },
    "text_too_long": {
        "pt_BR": "Por favor, escreva no máximo {max} caracteres.",
        "en": "Please write at most {max} characters.",
        "es": "Por favor, escribe como máximo {max} caracteres.",
    },
    "text_between": {
        "pt_BR": "Por favor, escreva entre {min} e {max} caracteres.",
        "en": "Please write between {min} and {max} characters.",
        "es": "Por favor, escribe entre {min} y {max} caracteres.",
    },
    "invalid_email": {
        "pt_BR": "Esse e-mail não parece válido. Por favor, envie um e-mail como nome@exemplo.com.",
        "en": "That does not look like an e-mail address. Please send one like name@example.com.",
        "es": "Ese correo electrónico no parece válido. Por favor, envía uno como nombre@ejemplo.com.",
    },
    "invalid_phone": {
        "pt_BR": "Esse telefone não parece válido. Por favor, envie o número com DDD.",
        "en": "That does not look like a phone number. Please send it with the area code.",
        "es": "Ese teléfono no parece válido. Por favor, envía el número con el código de área.",
    },
    "invalid_number": {
        "pt_BR": "Por favor, envie um número.",
        "en": "Please send a number.",
        "es": "Por favor, envía un número.",
    },
    "number_too_small": {
        "pt_BR": "Por favor, envie um número maior ou igual a {min}.",
        "en": "Please send a number of at least {min}.",
        "es": "Por favor, envía un número mayor o igual que {min}.",
    },
    "number_too_large": {
        "pt_BR": "Por favor, envie um número menor ou igual a {max}.",
        "en": "Please send a number of at most {max}.",
        "es": "Por favor, envía un número menor o igual que {max}.",
    },
    "number_between": {
        "pt_BR": "Por favor, envie um número entre {min} e {max}.",
        "en": "Please send a number between {min} and {max}.",
        "es": "Por favor, envía un número entre {min} y {max}.",
    },
    "invalid_integer": {
        "pt_BR": "Por favor, envie um número inteiro.",
        "en": "Please send a whole number.",
        "es": "Por favor, envía un número entero.",
    },
    "integer_too_small": {
        "pt_BR": "Por favor, envie um número inteiro maior ou igual a {min}.",
        "en": "Please send a whole number of at least {min}.",
        "es": "Por favor, envía un número entero mayor o igual que {min}.",
    },
    "integer_too_large": {
        "pt_BR": "Por favor, envie um número inteiro menor ou igual a {max}.",
        "en": "Please send a whole number of at most {max}.",
        "es": "Por favor, envía un número entero menor o igual que {max}.",
    },
    "integer_between": {
        "pt_BR": "Por favor, envie um número inteiro entre {min} e {max}.",
        "en": "Please send a whole number between {min} and {max}.",
        "es": "Por favor, envía un número entero entre {min} y {max}.",
    },
    "invalid_date": {
        "pt_BR": "Por favor, envie uma data, como {example}.",
        "en": "Please send a date, such as {example}.",
        "es": "Por favor, envía una fecha, como {example}.",
    },
    "invalid_pattern": {
        "pt_BR": "Essa resposta não está no formato esperado. Por favor, tente de novo.",
        "en": "That answer does not have the expected format. Please try again.",
        "es": "Esa respuesta no tiene el formato esperado. Por favor, inténtalo de nuevo.",
    },
    "invalid_media": {
        "pt_BR": "Por favor, envie um arquivo, como uma foto ou um documento.",
        "en": "Please send a file, such as a photo or a document.",
        "es": "Por favor, envía un archivo, como una foto o un documento.",
    },
    "invalid_order": {
        "pt_BR": "Por favor, escolha os produtos no catálogo e envie o carrinho.",
        "en": "Please choose products in the catalog and send your cart.",
        "es": "Por favor, elige los productos en el catálogo y envía el carrito.",
    },
    "invalid_contacts": {
        "pt_BR": "Por favor, envie um contato da sua agenda.",
        "en": "Please send a contact from your phone.",
        "es": "Por favor, envía un contacto de tu agenda.",
    },
    "invalid_location": {
        "pt_BR": "Por favor, envie a sua localização.",
        "en": "Please send your location.",
        "es": "Por favor, envía tu ubicación.",
    },
    "form_body": {
        "pt_BR": "Por favor, preencha o formulário.",
        "en": "Please fill in the form.",
        "es": "Por favor, completa el formulario.",
    },
    "open_link": {"pt_BR": "Abrir", "en": "Open", "es": "Abrir"},
    "yes": {"pt_BR": "Sim", "en": "Yes", "es": "Sí"},
    "no": {"pt_BR": "Não", "en": "No", "es": "No"},
}


def language_of(code: str) -> Language | None:
    """The supported language that matches a code such as `pt`, `pt-PT`, `en_US` or `es`; None if none does."""
    match code.replace("-", "_").partition("_")[0].lower():
        case "pt":
            return "pt_BR"
        case "en":
            return "en"
        case "es":
            return "es"
    return None


def language_code(text: str) -> str | None:
    """A language code in the form of WhatsApp (`pt_BR`, `en`, `fil`); None if the text is not a language code."""
    base, line, region = text.strip().replace("-", "_").partition("_")
    if not (2 <= len(base) <= 3 and base.isascii() and base.isalpha()):
        return None
    if not line:
        return base.lower()
    return (
        f"{base.lower()}_{region.upper()}" if 2 <= len(region) <= 4 and region.isascii() and region.isalnum() else None
    )


def best_match(language: str, available: Iterable[str]) -> str | None:
    """The available language that suits a contact's: the same, or one that differs only in its region. None if none does."""
    if not language:
        return None
    base = language.partition("_")[0]
    near = None
    for one in available:
        if one == language:
            return one
        if near is None and one.partition("_")[0] == base:
            near = one
    return near


def built_in_texts() -> dict[str, dict[Language, str]]:
    """Every built-in text, by name and language."""
    return _TEXTS


def built_in_text(language: str, name: str, **values: Any) -> str:
    """A built-in text in the language that matches a code, or in English.

    `values` replace its `{min}`, `{max}` and `{example}`. Raises KeyError for an unknown name.
    """
    text = _TEXTS[name][language_of(language) or "en"]
    return text.format(**values) if values else text
