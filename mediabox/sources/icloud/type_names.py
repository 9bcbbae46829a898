"""Apple's uniform type identifiers, as `itemType` and `res…FileType` carry them."""

from mediabox.model.asset import Kind

_EXTENSIONS = {
    "public.jpeg": "JPG", "public.heic": "HEIC", "public.heics": "HEICS", "public.heif": "HEIF",
    "public.heif-standard": "HEIF", "public.avif": "AVIF", "public.png": "PNG", "com.compuserve.gif": "GIF",
    "org.webmproject.webp": "WEBP", "public.webp": "WEBP", "public.tiff": "TIFF", "com.microsoft.bmp": "BMP",
    "public.jpeg-xl": "JXL", "public.jpeg-2000": "JP2", "com.adobe.photoshop-image": "PSD",
    "com.adobe.raw-image": "DNG", "com.canon.cr2-raw-image": "CR2", "com.canon.cr3-raw-image": "CR3",
    "com.canon.crw-raw-image": "CRW", "com.sony.arw-raw-image": "ARW", "com.sony.raw-image": "SR2",
    "com.fuji.raw-image": "RAF", "com.panasonic.rw2-raw-image": "RW2", "com.nikon.nrw-raw-image": "NRW",
    "com.nikon.raw-image": "NEF", "com.pentax.raw-image": "PEF", "com.olympus.or-raw-image": "ORF",
    "com.olympus.raw-image": "ORF", "com.samsung.raw-image": "SRW", "com.panasonic.raw-image": "RAW",
    "com.leica.rwl-raw-image": "RWL",
    "com.apple.quicktime-movie": "MOV", "public.mpeg-4": "MP4", "com.apple.m4v-video": "M4V",
    "public.3gpp": "3GP", "public.3gpp2": "3G2", "public.avi": "AVI", "org.matroska.mkv": "MKV",
    "public.avchd-mpeg-2-transport-stream": "MTS", "public.mpeg": "MPG", "public.mpeg-2-video": "MPG",
}  # fmt: skip

_VIDEOS = frozenset({"MOV", "MP4", "M4V", "3GP", "3G2", "AVI", "MKV", "MTS", "MPG"})


def extension_of(identifier: str | None) -> str | None:
    """The extension files of this type go by, in capitals as Apple writes them; None for a type we do not know."""
    return _EXTENSIONS.get(identifier or "")


def kind_of_identifier(identifier: str | None) -> Kind | None:
    """What a resource of this type is; None when its identifier does not say."""
    extension = extension_of(identifier)
    if extension is not None:
        return Kind.VIDEO if extension in _VIDEOS else Kind.PICTURE
    if identifier is None:
        return None
    if identifier.endswith(("-movie", "-video", ".movie", ".video")):
        return Kind.VIDEO
    return Kind.PICTURE if identifier.endswith(("-image", ".image")) else None


def is_raw_identifier(identifier: str | None) -> bool:
    return identifier is not None and identifier.endswith("raw-image")
