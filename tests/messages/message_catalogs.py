"""Every message the code can make, as Babel's extractor finds it. `update_catalogs.py` and the tests share it."""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "mediabox"
FOLDER = PRODUCT / "messages"
KEYWORDS = {"message": None, "tr": None, "plural": (1, 2), "tr_plural": (1, 2)}
METHODS = [("simulate/**.py", "ignore"), ("**.py", "python")]


def extracted() -> Catalog:
    """A template of all messages, with where each is made."""
    catalog = Catalog(charset="utf-8", fuzzy=False, project="mediabox")
    for where, line, forms, comments, _ in extract_from_dir(
        PRODUCT, method_map=METHODS, keywords=KEYWORDS, comment_tags=("Translators:",), strip_comment_tags=True
    ):
        catalog.add(forms, None, [(f"mediabox/{where}", line)], auto_comments=comments)
    return catalog


def forms_of(identifier: str | tuple[str, ...] | list[str]) -> Iterator[str]:
    """The one template, or one and many."""
    yield from (identifier,) if isinstance(identifier, str) else identifier
