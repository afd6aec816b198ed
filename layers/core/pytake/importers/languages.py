"""Language codes of other platforms (ISO 639-3, or a tag) as PyTake's."""

_TWO_LETTERS = {
    "ara": "ar", "aze": "az", "ben": "bn", "bul": "bg", "cat": "ca", "ces": "cs", "dan": "da", "deu": "de", "ger": "de",
    "ell": "el", "eng": "en", "est": "et", "fas": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "guj": "gu", "hau": "ha",
    "heb": "he", "hin": "hi", "hrv": "hr", "hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kan": "kn", "kaz": "kk",
    "khm": "km", "kin": "rw_RW", "kor": "ko", "lao": "lo", "lav": "lv", "lit": "lt", "mal": "ml", "mar": "mr", "mkd": "mk",
    "msa": "ms", "nld": "nl", "dut": "nl", "nob": "nb", "nor": "nb", "pan": "pa", "pol": "pl", "por": "pt_BR", "pt": "pt_BR",
    "pt-br": "pt_BR", "ron": "ro", "rus": "ru", "slk": "sk", "slv": "sl", "spa": "es", "sqi": "sq", "srp": "sr", "swa": "sw",
    "swe": "sv", "tam": "ta", "tel": "te", "tha": "th", "tur": "tr", "ukr": "uk", "urd": "ur", "uzb": "uz", "vie": "vi",
    "zho": "zh_CN", "zul": "zu",
}  # fmt: skip


def pytake_language(code: str, default: str = "") -> str:
    """The code in PyTake's form; the default for `base`, `und` and what is not a code."""
    plain = code.strip().lower()
    if plain in _TWO_LETTERS:
        return _TWO_LETTERS[plain]
    base, _, region = code.strip().replace("-", "_").partition("_")
    if not (2 <= len(base) <= 3 and base.isascii() and base.isalpha()) or plain in ("und", "mul"):
        return default
    return (
        f"{base.lower()}_{region.upper()}"
        if region.isascii() and region.isalnum() and len(region) == 2
        else base.lower()
    )
