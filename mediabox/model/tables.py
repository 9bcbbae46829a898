"""The tables in this folder: what people know of names and formats, a line each."""

from importlib import resources


def rows(name: str) -> list[list[str]]:
    """The fields of each line of `name`.tsv, without those that begin with `# `."""
    text = resources.files(__package__).joinpath(f"{name}.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("# ")]
