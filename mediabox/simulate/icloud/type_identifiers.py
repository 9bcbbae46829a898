"""Uniform type identifiers, as `itemType` and `res…FileType` carry them."""

from mediabox.model.asset import Kind
from mediabox.model.naming import split_extension
from mediabox.model.signature import claimed_kind

_TYPES = {
    "jpg": "public.jpeg", "jpeg": "public.jpeg", "jpe": "public.jpeg", "mpo": "public.jpeg",
    "heic": "public.heic", "heics": "public.heics", "heif": "public.heif", "hif": "public.heic",
    "avif": "public.avif", "png": "public.png", "gif": "com.compuserve.gif", "webp": "org.webmproject.webp",
    "tif": "public.tiff", "tiff": "public.tiff", "bmp": "com.microsoft.bmp", "jxl": "public.jpeg-xl",
    "psd": "com.adobe.photoshop-image", "jp2": "public.jpeg-2000",
    "dng": "com.adobe.raw-image", "cr2": "com.canon.cr2-raw-image", "cr3": "com.canon.cr3-raw-image",
    "crw": "com.canon.crw-raw-image", "arw": "com.sony.arw-raw-image", "sr2": "com.sony.raw-image",
    "raf": "com.fuji.raw-image", "rw2": "com.panasonic.rw2-raw-image", "nrw": "com.nikon.nrw-raw-image",
    "nef": "com.nikon.raw-image", "pef": "com.pentax.raw-image", "orf": "com.olympus.or-raw-image",
    "mov": "com.apple.quicktime-movie", "qt": "com.apple.quicktime-movie", "mp4": "public.mpeg-4",
    "m4v": "com.apple.m4v-video", "3gp": "public.3gpp", "3g2": "public.3gpp2", "avi": "public.avi",
    "mkv": "org.matroska.mkv", "webm": "org.webmproject.webm", "mts": "public.avchd-mpeg-2-transport-stream",
    "m2ts": "public.avchd-mpeg-2-transport-stream", "mpg": "public.mpeg",
}  # fmt: skip


def type_of(name: str) -> str:
    """By the extension; the general type of its kind where the format has no identifier of its own."""
    known = _TYPES.get(split_extension(name)[1].casefold())
    return known or ("public.movie" if claimed_kind(name) is Kind.VIDEO else "public.image")


def is_movie(identifier: str) -> bool:
    """Whether a resource of this type plays."""
    return identifier in _MOVIES


_MOVIES = frozenset(
    identifier for extension, identifier in _TYPES.items() if claimed_kind(f"x.{extension}") is Kind.VIDEO
) | {"public.movie"}
