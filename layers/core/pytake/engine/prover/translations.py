"""What is wrong with the translations of a flow: missing texts, texts of nothing, and different placeholders."""

from collections.abc import Iterator

from msgspec import structs

from pytake.engine.compiler import Compilation
from pytake.engine.document import FlowDocument
from pytake.engine.problems import Problem, problem
from pytake.engine.template import TemplateError, Term, parse_template, paths_in
from pytake.engine.texts import best_match
from pytake.engine.translations import own_language, shown_texts, texts_by_node


def translation_problems(compilation: Compilation) -> Iterator[Problem]:
    """The problems of every document's translations that compiling it does not find."""
    for document in compilation.documents.values():
        spoken = [own_language(document), *document.languages]
        for code in dict.fromkeys(document.languages):
            if code != own_language(document):
                yield from _of_language(document, code)
        for code in document.texts:
            if code not in document.languages:
                message = f"`languages` does not list `{code}`, so these texts are never used. Add it to `languages`."
                yield problem("unlisted_language", message, flow_id=document.id, field=f"texts.{code}")
        for node in document.nodes:
            for found in compilation.facts[document.id, node.id].languages:
                if found.code and best_match(found.code, spoken) is None:
                    message = f"The flow has no texts in `{found.code}`, so it goes on in `{spoken[0]}`. Add it to `languages`."
                    location = {"flow_id": document.id, "node_id": node.id, "field": found.field}
                    yield problem("unlisted_language", message, **location)


def add_translated_facts(compilation: Compilation) -> None:
    """Let the data-flow analysis also check the variables and the lengths of translated texts."""
    for translation in compilation.translated:
        for (flow_id, node_id), facts in translation.facts.items():
            known = compilation.facts[flow_id, node_id]
            for text in facts.limited_texts:
                field = translation.field(flow_id, node_id, text.field)
                if field is not None:
                    known.limited_texts.append(structs.replace(text, field=field))
            for read in facts.reads:
                field = translation.field(flow_id, node_id, read.field)
                if field is not None:
                    known.reads.append(structs.replace(read, field=field))


def _of_language(document: FlowDocument, code: str) -> Iterator[Problem]:
    given = texts_by_node(document, code)
    for node in document.nodes:
        texts = given.pop(node.id, {})
        location = {"flow_id": document.id, "node_id": node.id}
        for shown in shown_texts(node.data):
            field = f"texts.{code}.{node.id}.{shown.key}"
            given_text = texts.pop(shown.key, None)
            if given_text is None:
                if not shown.optional and _has_words(shown.text):
                    message = f"This text has no translation into `{code}`, so it is sent as it is written. Add one."
                    yield problem("missing_text", message, field=field, **location)
            elif difference := _difference(shown.text, given_text):
                yield problem("different_placeholders", difference, field=field, **location)
        for key in texts:
            message = (
                f"The node `{node.id}` has no text `{key}`. Name the field of a text, or an option by its value as in "
                f"`{node.id}.buttons.VALUE.label`; or remove this text."
            )
            yield problem("unknown_text", message, field=f"texts.{code}.{node.id}.{key}", **location)
    for key in given.get("", {}):
        message = (
            "No node has the id at the beginning of this key. Write `NODE.FIELD`, as in `menu.text`; or remove it."
        )
        yield problem("unknown_text", message, flow_id=document.id, field=f"texts.{code}.{key}")


def _has_words(text: str) -> bool:
    return any(character.isalpha() for part in _parts(text) if isinstance(part, str) for character in part)


def _parts(text: str) -> list[str | Term]:
    try:
        return parse_template(text)
    except TemplateError:
        return [text]  # reported where it is compiled


def _difference(text: str, translation: str) -> str:
    """The values that only one of the texts contains, as a message; empty if there are none."""
    before, after = (
        dict.fromkeys(
            ".".join(path.path) for part in _parts(one) if not isinstance(part, str) for path in paths_in(part)
        )
        for one in (text, translation)
    )
    lost = [name for name in before if name not in after]
    added = [name for name in after if name not in before]
    if not lost and not added:
        return ""
    said = [f"does not contain {_braced(lost)}"] if lost else []
    said += [f"contains {_braced(added)}, which the original does not"] if added else []
    return f"The translation {' and '.join(said)}. Use the same values in both."


def _braced(names: list[str]) -> str:
    return ", ".join(f"`{{{{{name}}}}}`" for name in names)
