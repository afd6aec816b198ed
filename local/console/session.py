"""What the console remembers of one browser: language, appearance, identity, the phones on the table."""

from typing import Any, Literal, NamedTuple, cast, get_args

from nicegui import app

from local.console.tokens import Identity
from local.console.words import LANGUAGES, Language

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
ROLES = ("admin", "builder", "agent", "analyst")


class KeptText(NamedTuple):
    """A text that is not saved, and the tag of the saved one that it began with; None where there was none."""

    text: str
    tag: str | None


class Session:
    """One browser's settings. They are kept over restarts; what cannot be read counts as not set."""

    def __init__(self, default_identity: Identity, default_language: Language) -> None:
        self._kept: dict[str, Any] = app.storage.user
        self._default_identity = default_identity
        self._default_language = default_language

    @property
    def language(self) -> Language:
        """The language of the console."""
        kept = self._kept.get("language")
        return cast("Language", kept) if kept in LANGUAGES else self._default_language

    @language.setter
    def language(self, language: Language) -> None:
        self._kept["language"] = language

    @property
    def theme(self) -> Theme:
        """Light, dark, or as the system says."""
        kept = self._kept.get("theme")
        return cast("Theme", kept) if kept in THEMES else "auto"

    @theme.setter
    def theme(self, theme: Theme) -> None:
        self._kept["theme"] = theme

    @property
    def identity(self) -> Identity:
        """The organization and the role that tokens are made for."""
        kept = self._kept.get("identity")
        if isinstance(kept, list) and len(kept) == 2 and kept[1] in ROLES:
            return Identity(str(kept[0]), str(kept[1]))
        return self._default_identity

    @identity.setter
    def identity(self, identity: Identity) -> None:
        self._kept["identity"] = [identity.organization_id, identity.role]

    @property
    def phones(self) -> list[str]:
        """The phones that lie side by side, by number."""
        kept = self._kept.get("phones")
        return [str(phone) for phone in kept] if isinstance(kept, list) else []

    @phones.setter
    def phones(self, phones: list[str]) -> None:
        self._kept["phones"] = list(phones)

    def kept_text(self, place: str) -> KeptText | None:
        """Return a text that was not saved yet when it was last seen here."""
        kept = self._kept.get("texts")
        match kept.get(place) if isinstance(kept, dict) else None:
            case [str(text), str() | None as tag]:
                return KeptText(text, tag)
            case str(text):  # as it was kept before drafts had tags
                return KeptText(text, None)
        return None

    def keep_text(self, place: str, text: KeptText | None) -> None:
        """Keep a text that is not saved; None forgets it."""
        kept = self._kept.get("texts")
        texts = dict(kept) if isinstance(kept, dict) else {}
        entry = list(text) if text is not None else None
        if texts.get(place) == entry:
            return
        if entry is None:
            texts.pop(place, None)
        else:
            texts[place] = entry
        self._kept["texts"] = texts
