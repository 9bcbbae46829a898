"""Text as it is found in a file."""

MAX_TEXT = 4096  # characters of one title, caption or name; a novel in a caption is not ours to carry


def clean(text: str) -> str | None:
    """Text as a person would write it: no padding, no NUL, bounded; None when nothing is left."""
    return text.replace("\0", " ").strip()[:MAX_TEXT] or None


def decoded(raw: bytes) -> str | None:
    """Text of unknown encoding: UTF-8, as everybody writes today, else Latin-1, as cameras once did."""
    raw = raw.split(b"\0", 1)[0]
    try:
        return clean(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return clean(raw.decode("latin-1"))
