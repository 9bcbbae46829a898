"""What a file's name says about the files it belongs with.

One photo comes as several files whose names share a stem: `IMG_1.HEIC`,
`IMG_1.MOV`, `IMG_E1.JPG`, `IMG_1.HEIC.xmp`. Conventions read here: Apple's camera
roll (`IMG_E1234` edited, `IMG_O1234.AAE` the original's adjustments), icloudpd
(`IMG_1_HEVC.MOV`, `-adjusted`), Google Takeout (`IMG_1.jpg(1).json` is about
`IMG_1(1).jpg`; names cut at 46 characters; `-edited` in the language of the
account), Pixel phones (`PXL_1.MP.jpg` beside `PXL_1.MP`, `.RAW-01.COVER.jpg`
beside `.RAW-02.ORIGINAL.dng`, `~2` edited), and XMP beside either `IMG_1.JPG.xmp`
or `IMG_1.xmp`. Names only make candidates: `stages.group` asks the facts as well.
"""

import re
import unicodedata

import msgspec

from mediabox.model.signature import media_type_of_name

# Takeout cuts `<title>.supplemental-metadata` at 46 characters before `.json`
# (TheLastGimbus/GooglePhotosTakeoutHelper #449, ente-io/ente #4956) and a picture's own name at 47.
TAKEOUT_CUT = 46
SIDECAR_EXTENSIONS = frozenset({"xmp", "aae", "json"})

_SUPPLEMENT = "supplemental-metadata"
_COUNT = re.compile(r"\((\d{1,4})\)$")
# "Edited" as Google and Apple tools write it, by the account's language.
_EDITED = re.compile(
    r"(?:[-_](?:edited|adjusted|bearbeitet|bewerkt|modifié|modificato|(?:ha )?editado|editat|editada"
    r"|redigert|redigeret|redigerad|muokattu|edytowane|upraveno|編集済み|已编辑|已編輯|수정됨)|~[2-9]\d?)$",
    re.IGNORECASE,
)
_APPLE = re.compile(r"^(img_)([eo])(\d{4,})$", re.IGNORECASE)
_PIXEL = re.compile(r"(?:\.raw-\d\d(?:\.mp)?\.(?:cover|original)|\.mp)$", re.IGNORECASE)
_ICLOUDPD_LIVE = re.compile(r"_hevc$", re.IGNORECASE)
_EXTENSION = re.compile(r"[^\s.()]{1,8}")


class FileName(msgspec.Struct, frozen=True, kw_only=True):
    """One file's name, taken apart. Everything is NFC and case-folded."""

    name: str
    stem: str  # what names of one photo share, cut where Takeout cuts
    base: str  # the same, not cut
    extension: str  # without the dot; "" for none
    is_edited: bool = False
    describes: str | None = None  # a sidecar named after a whole file name: that name
    is_cut: bool = False  # Takeout may have cut `base`: it is a beginning only


def stem(name: str) -> str:
    """What the names of one photo's files have in common. The store keeps it beside each name."""
    return parse_name(name).stem


def parse_name(name: str) -> FileName:
    """Take a file name (not a path) apart. Total: every string is a name."""
    name = unicodedata.normalize("NFC", name)
    before, extension = split_extension(name)
    folded = extension.casefold()
    if folded not in SIDECAR_EXTENSIONS:
        return _parsed(name, before, folded)
    subject, count, is_cut = _takeout_subject(before) if folded == "json" else (before, "", False)
    inner, inner_extension = split_extension(subject.removesuffix(".source"))
    if not inner_extension or media_type_of_name(f"x.{inner_extension}") is None:
        return _parsed(name, subject + count, folded, is_cut=is_cut)
    return _parsed(name, inner + count, folded, describes=f"{inner}{count}.{inner_extension}".casefold(), is_cut=is_cut)


def split_extension(name: str) -> tuple[str, str]:
    """`("IMG_1", "JPG")`; the extension is "" where what follows the last dot cannot be one."""
    before, dot, extension = name.rpartition(".")
    if not dot or not before or not _EXTENSION.fullmatch(extension):
        return name, ""
    return before, extension


def is_raw(name: str, media_type: str | None = None) -> bool:
    """Whether this is a camera's raw file, by its media type if known, else by its name."""
    media_type = media_type or media_type_of_name(name) or ""
    return media_type.startswith("image/x-") and media_type != "image/x-exr"


def _parsed(name: str, text: str, extension: str, *, describes: str | None = None, is_cut: bool = False) -> FileName:
    count = _COUNT.search(text)
    number = count.group() if count else ""
    text = text.removesuffix(number)
    text = _ICLOUDPD_LIVE.sub("", text) if extension == "mov" else text
    unmarked = _EDITED.sub("", text) or text
    apple = _APPLE.match(unmarked)
    is_edited = unmarked != text or (apple is not None and apple[2] in "eE")
    if apple is not None and (apple[2] in "eE" or extension == "aae"):
        unmarked = apple[1] + apple[3]
    if extension:
        unmarked = _PIXEL.sub("", unmarked) or unmarked
    return FileName(
        name=name.casefold(),
        stem=unmarked[:TAKEOUT_CUT].casefold() + number,
        base=unmarked.casefold() + number,
        extension=extension,
        is_edited=is_edited,
        describes=describes,
        is_cut=is_cut,
    )


def _takeout_subject(text: str) -> tuple[str, str, bool]:
    """What Takeout's `<text>.json` is about: (name, count, whether it may be cut short).

    The count is never cut; it stands behind everything, where the picture has it
    before its extension.
    """
    counted = _COUNT.search(text)
    count = counted.group() if counted else ""
    text = text.removesuffix(count)
    is_cut = len(text) >= TAKEOUT_CUT
    before, dot, tail = text.rpartition(".")
    if dot and _SUPPLEMENT.startswith(tail.lower()):
        text = before
    before, dot, tail = text.rpartition(".")
    if dot and is_cut and len(tail) <= 4 and media_type_of_name(f"x.{tail}") is None:
        text = before  # an extension cut short: `.JP`, `.HEI`
    return text, count, is_cut
