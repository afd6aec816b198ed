"""Reactions that answer a question: which emoji stands for which answer."""

from collections.abc import Mapping

from pytake.engine.node_build import NodeBuild
from pytake.engine.normalize import normalize_text, plain_emoji
from pytake.engine.options import Offering, Options
from pytake.whatsapp import limits as meta


def answers_by_emoji(
    reactions: Mapping[str, str] | None, options: Offering | None, build: NodeBuild, *, options_only: bool
) -> dict[str, str]:
    """What each emoji stands for (`plain_emoji`). Reports keys that are not emoji, and answers that the question never accepts.

    `options_only`: the question accepts nothing but its options.
    """
    answers: dict[str, str] = {}
    for emoji, said in (reactions or {}).items():
        plain = plain_emoji(emoji)
        if not plain or plain.isascii() or len(plain) > meta.EMOJI:
            build.problem("invalid_value", "reactions", f"`{emoji}` is not an emoji. Enter one.")
        if plain in answers:
            message = (
                f"Two reactions are the same emoji `{emoji}`; the skin tone makes no difference. Keep one of them."
            )
            build.problem("duplicate_value", "reactions", message)
        if not said.strip():
            message = f"The reaction `{emoji}` stands for no answer. Enter the answer."
            build.problem("invalid_value", "reactions", message)
        elif options_only and isinstance(options, Options) and normalize_text(said) not in options.typed:
            message = (
                f"The reaction `{emoji}` stands for `{said}`, which is not an option. Enter the value of an option."
            )
            build.problem("invalid_value", "reactions", message)
        answers[plain] = said
    return answers
