"""Files a camera or a program makes beside a picture or clip, by name: thumbnail, proxy, log, memo, development.

Such a file goes with its clip, and only where the clip lies beside it: alone, a proxy may be
all that is left of a film. A line for each layout; a new one needs no code.
"""

import re
from collections.abc import Sequence

from mediabox.model.asset import Kind
from mediabox.model.signature import claimed_kind

_VIDEO, _FILE = frozenset({Kind.VIDEO}), frozenset({Kind.VIDEO, Kind.PICTURE})

# By extension: what it can belong to. Names share their stem.
_KINDS = {
    "thm": _FILE,  # thumbnail with Exif: Canon (an old AVI's only date), GoPro, Sony, Casio; DCF 2.0, 5.4.2
    "wav": _FILE,  # sound memo of a picture (DCF 2.0, 5.4.3), GoPro's own sound track
    "lrv": _VIDEO,  # GoPro: low-resolution video
    "lrf": _VIDEO,  # DJI: the same
    "glv": _VIDEO,  # Garmin VIRB: the same
    "scr": _FILE,  # DJI: screen-sized picture
    "srt": _VIDEO,  # DJI: where the drone was; subtitles
    "sec": _VIDEO,  # Xiaomi Yi: proxy
    "moi": _VIDEO,  # JVC, Panasonic, Canon camcorders: about a MOD, its only date (ExifTool, MOI.pm)
    "xml": _VIDEO,  # Sony XAVC and XDCAM (C0001M01.XML), Canon XF, Panasonic
    "cpf": _VIDEO, "cif": _VIDEO, "sif": _VIDEO,  # Canon XF
    "bim": _VIDEO, "ppn": _VIDEO, "smi": _VIDEO, "klv": _VIDEO,  # Sony XDCAM EX
    "pp3": _FILE, "dop": _FILE,  # RawTherapee, DxO: what was done to a picture (IMG_1.CR2.pp3)
    "mp4": _VIDEO, "insv": _VIDEO,  # proxies by their names only, below
}  # fmt: skip
_ENDINGS = tuple(f".{extension}" for extension in _KINDS)
# Where names do not share their stem: what the clip's begins with.
_RENAMED = (
    (re.compile(r"g[hxls](\d{6})\."), r"gx\1."),  # GoPro 6 and later: GL010001.LRV of GX010001.MP4 or GH010001.MP4
    (re.compile(r"lrv_(\d{8}_\d{6})_\d\d_(\d{3})\.(?=insv|mp4|lrv)"), r"vid_\1_00_\2."),  # Insta360
    (re.compile(r"(.*\d{3})_thm\.(?=mp4)"), r"\1."),  # Xiaomi Yi
    (re.compile(r"(.+\d)[mri]\d\d\.(?=xml|bim|ppn|klv)"), r"\1."),  # Sony: M01, R01, I01
)
_PROXY = re.compile(r".*\.(?:thm|lrv|lrf|glv)|lrv_\d{8}_\d{6}_\d\d_\d{3}\.(?:insv|mp4)|.*\d{3}_thm\.mp4")


def clip_name(name: str) -> str:
    """The name, case-folded, with the stem that a companion and its clip have in common."""
    folded = name.casefold()
    for pattern, stem in _RENAMED:
        if (found := pattern.match(folded)) is not None:
            return found.expand(stem) + folded[found.end() :]
    return folded


def is_proxy(name: str) -> bool:
    """Whether its name alone says that there was a larger file: its companion, should that be there."""
    return _PROXY.fullmatch(name.casefold()) is not None


def companions_among(names: Sequence[str]) -> frozenset[str]:
    """Those of a folder's names whose clips or pictures lie beside them."""
    wanting = [name for name in names if name.lower().endswith(_ENDINGS) and _is_candidate(name)]
    if not wanting:
        return frozenset()
    kinds: dict[str, set[Kind]] = {}
    for name in set(names).difference(wanting):
        if (kind := claimed_kind(name)) is not None:
            kinds.setdefault(_stem(name), set()).add(kind)
    return frozenset(name for name in wanting if kinds.get(_stem(name), set()) & _KINDS[_extension(name)])


def _is_candidate(name: str) -> bool:
    extension = _extension(name)
    return extension in _KINDS and (extension not in ("mp4", "insv") or is_proxy(name))


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _stem(name: str) -> str:
    stem, _, extension = clip_name(name).rpartition(".")
    return stem.rpartition(".")[0] or stem if extension in ("pp3", "dop") else stem
