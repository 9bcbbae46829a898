"""Bring the languages up to what the code can say: `python tests/messages/update_catalogs.py [TAG of a new language]`.

New messages come in empty, those no code makes any more go out. Sorted by their English, so that two
people's changes rarely meet.
"""

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from message_catalogs import FOLDER, extracted

CHANGING = tuple(f'"{name}' for name in ("POT-", "PO-", "Last-", "Report-", "Generated-", "Language-Team", "Project-"))


def update(path: Path) -> Catalog:
    """The language's file with exactly the messages of the code, what is translated kept."""
    template = extracted()
    catalog = Catalog(locale=path.stem, charset="utf-8", fuzzy=False, project="mediabox", header_comment="")
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=path.stem)
    catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    return catalog


def write(catalog: Catalog, path: Path) -> None:
    """Without dates and names in the header, which change by themselves."""
    file = BytesIO()
    write_po(file, catalog, width=110, no_location=True, sort_output=True)
    lines = file.getvalue().decode().lstrip("\n").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(CHANGING)))


def main(tags: list[str]) -> None:
    for path in {*FOLDER.glob("*.po"), *(FOLDER / f"{tag}.po" for tag in tags)}:
        write(update(path), path)


if __name__ == "__main__":
    main(sys.argv[1:])
