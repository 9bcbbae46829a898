"""Words as they are compared: without case and accents, the same for the index and for a single asset in memory.

The index is given tokens, not text, so that its own idea of a word (SQLite's FTS5,
tokenizer `ascii`: it only splits at ASCII characters that are neither letter nor digit)
never matters.
"""

import re
import unicodedata
from collections.abc import Iterable

BOUNDARY = "\ue000"  # private use: stands before, between and after the values of a field; nobody can type it
_ACCENTS = re.compile("[\u0300-\u036f]")  # what NFKD splits off Latin, Greek and Cyrillic letters
# Written without spaces, so that each character is a word and neighbours are a phrase: South-East Asia, kana, Han.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
)
_SYMBOLS = "\u2600-\u27bf\U0001f300-\U0001faff"  # emoji are in the names of albums
_TOKEN = re.compile(f"[{_UNSPACED}{_SYMBOLS}]|(?:(?![{_UNSPACED}{_SYMBOLS}_])[\\w\u0900-\u0dff])+")
_ASCII = re.compile("[a-z0-9]+")


def tokens_of(text: str) -> list[str]:
    """`IMG_0042 Müller` -> img 0042 muller."""
    if text.isascii():  # most are: the same, at a fifth of the time
        return _ASCII.findall(text.lower())
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text).replace(BOUNDARY, " "))
    return _TOKEN.findall(unicodedata.normalize("NFC", plain.casefold()))


def document_of(values: Iterable[str]) -> list[str]:
    """The tokens of several values, each between two boundaries; none for no words."""
    document: list[str] = []
    for value in values:
        if tokens := tokens_of(value):
            document += [*([] if document else [BOUNDARY]), *tokens, BOUNDARY]
    return document


def phrase_of(text: str, *, is_whole: bool) -> list[str]:
    """What to look for in a document. `is_whole`: a value that has these words and no others."""
    tokens = tokens_of(text)
    return [BOUNDARY, *tokens, BOUNDARY] if is_whole else tokens


def holds(document: list[str], phrase: list[str]) -> bool:
    """Whether the phrase stands there in one piece; its last word may go on."""
    length = len(phrase)
    return any(
        document[at : at + length - 1] == phrase[:-1] and document[at + length - 1].startswith(phrase[-1])
        for at in range(len(document) - length + 1)
    )
