"""What a file's name says about the files it belongs with.

One photo comes as several files whose names share a stem: `IMG_1.HEIC`,
`IMG_1.MOV`, `IMG_E1.JPG`, `IMG_1.HEIC.xmp`. Conventions read here: Apple's camera
roll (`IMG_E1234` edited, `IMG_O1234.AAE` the original's adjustments), icloudpd
(`IMG_1_HEVC.MOV`, `-adjusted`), Google Takeout (`IMG_1.jpg(1).json` is about
`IMG_1(1).jpg`; names cut at 46 UTF-16 units; `-edited` in the language of the
account), Pixel phones (`PXL_1.MP.jpg` beside `PXL_1.MP`, `.RAW-01.COVER.jpg`
beside `.RAW-02.ORIGINAL.dng`, `~2` edited), XMP beside either `IMG_1.JPG.xmp` or
`IMG_1.xmp`, and darktable's second development `DSC_1_01.NEF.xmp` of `DSC_1.NEF`.
Names only make candidates: `stages.group` asks the facts as well.
"""

import re
import unicodedata
from typing import Literal

import msgspec

from mediabox.model.companions import clip_name
from mediabox.model.signature import media_type_of_name
from mediabox.model.tables import rows

# Takeout cuts `<title>.supplemental-metadata` at 46 characters before `.json`
# (TheLastGimbus/GooglePhotosTakeoutHelper #449, ente-io/ente #4956) and a picture's own name at 47. It counts
# UTF-16 units, two for an emoji (simulot/immich-go #35), and leaves one out that it would have to halve.
TAKEOUT_CUT = 46
SIDECAR_EXTENSIONS = frozenset({"xmp", "aae", "json", "pp3", "dop"})

_SUPPLEMENTS = ("supplemental-metadata", "metadata")
_COUNT = re.compile(r"\((\d{1,4})\)$")
_EDITED_WORDS = [row[1] for row in rows("words") if row[0] == "edited"]
_EDITED = re.compile(rf"(?:[-_](?:{'|'.join(_EDITED_WORDS)})|~[2-9]\d?)$", re.IGNORECASE)
_BEGINNINGS = sorted({word[:size] for word in _EDITED_WORDS for size in range(len(word))}, key=len, reverse=True)
_EDITED_CUT = re.compile(rf"-(?:{'|'.join(_BEGINNINGS)})$", re.IGNORECASE)  # of names Takeout has cut
_VERSION = re.compile(r"^(.+)_\d\d$")
_APPLE = re.compile(r"^(img_)([eo])(\d{4,})$", re.IGNORECASE)
_PIXEL = re.compile(r"(?:\.raw-\d\d(?:\.mp)?\.(?:cover|original)|\.mp)$", re.IGNORECASE)
_ICLOUDPD_LIVE = re.compile(r"_hevc$", re.IGNORECASE)
_EXTENSION = re.compile(r"[^\s.()]{1,8}")
# Google splits a Takeout into archives, wherever that falls; unpacked they lie in `Takeout`, `Takeout 2`, or each in a
# folder called after its archive.
_TAKEOUT = re.compile(r"(/)(?:Takeout(?:[ -]?\(?\d{1,3}\)?)?|(takeout-\d{8}T\d{6}Z)[-\d]*|takeout-\d{1,3})(?=/)")
_Form = Literal["NFC", "NFD"]


class FileName(msgspec.Struct, frozen=True, kw_only=True):
    """One file's name, taken apart. Everything is NFC and case-folded."""

    name: str
    stem: str  # what names of one photo share, cut where Takeout cuts
    base: str  # the same, not cut
    extension: str  # without the dot; "" for none
    number: str = ""  # `(2)`, with which `stem` and `base` end
    is_edited: bool = False
    describes: str | None = None  # a sidecar named after a whole file name: that name
    version_of: str | None = None  # what it describes unless there is such a file: darktable counts developments
    is_cut: bool = False  # Takeout may have cut `base`: it is a beginning only

    @property
    def stems(self) -> tuple[str, ...]:
        """The stems of names that may belong with this one."""
        return (self.stem,) if self.version_of is None else (self.stem, stem(self.version_of))

    def begins(self, other: "FileName") -> bool:
        """Whether this may be the other's base, cut."""
        whole, beginning = other.base.removesuffix(other.number), self.base.removesuffix(self.number)
        return self.is_cut and self.number == other.number and whole.startswith(beginning)


def stem(name: str) -> str:
    """What the names of one photo's files have in common. The store keeps it beside each name."""
    return parse_name(name).stem


def home_folder(remote_id: str) -> str:
    """The folder a file lies in, by the source's own path; the parts of a Takeout are one. The store keeps it, too."""
    return _TAKEOUT.sub(r"\1\2", f"{remote_id.rpartition('/')[0]}/")[:-1]


def parse_name(name: str) -> FileName:
    """Take a file name (not a path) apart. Total: every string is a name."""
    form: _Form = "NFC" if unicodedata.is_normalized("NFC", name) else "NFD"  # in which Takeout counted it
    name = unicodedata.normalize("NFC", name)
    before, extension = split_extension(name)
    folded = extension.casefold()
    if folded not in SIDECAR_EXTENSIONS:
        shared = clip_name(name)
        return _parsed(name, before if shared == name.casefold() else split_extension(shared)[0], folded, form=form)
    subject, count, is_cut = _takeout_subject(before, form) if folded == "json" else (before, "", False)
    inner, inner_extension = split_extension(subject.removesuffix(".source"))
    if not inner_extension or media_type_of_name(f"x.{inner_extension}") is None:
        return _parsed(name, subject + count, folded, form=form, is_cut=is_cut)
    describes = f"{inner}{count}.{inner_extension}".casefold()
    version = _VERSION.match(inner) if folded == "xmp" else None
    version_of = f"{version[1]}.{inner_extension}".casefold() if version else None
    return _parsed(name, inner + count, folded, form=form, describes=describes, version_of=version_of, is_cut=is_cut)


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


def _parsed(
    name: str,
    text: str,
    extension: str,
    *,
    form: _Form,
    describes: str | None = None,
    version_of: str | None = None,
    is_cut: bool = False,
) -> FileName:
    count = _COUNT.search(text)
    number = count.group() if count else ""
    text = text.removesuffix(number)
    text = _ICLOUDPD_LIVE.sub("", text) if extension == "mov" else text
    unmarked = _unmarked(text, form)
    apple = _APPLE.match(unmarked)
    is_edited = unmarked != text or (apple is not None and apple[2] in "eE")
    if apple is not None and (apple[2] in "eE" or extension == "aae"):
        unmarked = apple[1] + apple[3]
    if extension:
        unmarked = _PIXEL.sub("", unmarked) or unmarked
    return FileName(
        name=name.casefold(),
        stem=_cut(unmarked, form).casefold() + number,
        base=unmarked.casefold() + number,
        extension=extension,
        number=number,
        is_edited=is_edited,
        describes=describes,
        version_of=version_of,
        is_cut=is_cut,
    )


def _unmarked(text: str, form: _Form) -> str:
    """Without what says that it is edited: `IMG_1~2-edited` has it twice, a long name has it cut."""
    shorter = _EDITED.sub("", text) or text
    if shorter == text and _units(text, form) > TAKEOUT_CUT:
        shorter = _EDITED_CUT.sub("", text) or text
    return text if shorter == text else _unmarked(shorter, form)


def _units(text: str, form: _Form) -> int:
    return len(unicodedata.normalize(form, text).encode("utf-16-le", "surrogatepass")) // 2


def _cut(text: str, form: _Form) -> str:
    """As Takeout would: no half of a character at the end."""
    units = unicodedata.normalize(form, text).encode("utf-16-le", "surrogatepass")[: TAKEOUT_CUT * 2]
    return unicodedata.normalize("NFC", units.decode("utf-16-le", "ignore"))


def _takeout_subject(text: str, form: _Form) -> tuple[str, str, bool]:
    """What Takeout's `<text>.json` is about: (name, count, whether it may be cut short).

    The count is never cut; it stands behind everything, where the picture has it
    before its extension.
    """
    counted = _COUNT.search(text)
    count = counted.group() if counted else ""
    text = text.removesuffix(count)
    is_cut = _units(text, form) >= TAKEOUT_CUT - 1
    before, dot, tail = text.rpartition(".")
    if dot and any(word.startswith(tail.lower()) for word in _SUPPLEMENTS):
        text = before
    before, dot, tail = text.rpartition(".")
    if dot and is_cut and len(tail) <= 4 and media_type_of_name(f"x.{tail}") is None:
        text = before  # an extension cut short: `.JP`, `.HEI`
    return text, count, is_cut
