"""Which files the Google Photos app backs up, and under which extension it looks for them.

Source: "Back up photos & videos", support.google.com/photos/answer/6193313, read on
28 November 2026: photos .jpg .heic .png .webp .gif .avif "and most RAW files" (200 MB,
200 MP, larger than 256 x 256); videos .mpg .mod .mmv .tod .wmv .asf .avi .divx .mov .m4v
.3gp .3g2 .mp4 .m2t .m2ts .mts .mkv (10 GB). What is not listed there "may not work":
TIFF and BMP, which only the web's upload API names, WebM, JPEG XL, JPEG 2000, Flash, Ogg,
MXF and DV.

Of raw files the page goes on with a list of cameras. Here is every format a maker still
uses in cameras people carry; that backs of Phase One, Hasselblad, Leaf, Kodak and Sigma go
as a picture instead is our caution, not Google's word.

Codecs are not named. All those that these containers usually hold are taken, AV1, VP9 and
10-bit HEVC included ("10-bit HDR videos").
"""

from typing import Final

PLACE: Final = "google-photos/"  # what the owner's own download proves is a copy on a "volume" named so


def place_of(name: str) -> str:
    """Under which name the ledger keeps what Google Photos gave back, `name`: of the destination that fed it."""
    return f"{PLACE}{name}"


LARGEST_PHOTO_BYTES: Final = 200_000_000
LARGEST_PHOTO_PIXELS: Final = 200_000_000
LARGEST_VIDEO_BYTES: Final = 10_000_000_000
SMALLEST_SIDE: Final = 257  # px; thumbnails and icons are left alone

STORAGE_SAVER_PIXELS: Final = 16_000_000  # photos above are resized to 16 MP (support.google.com/photos/answer/6220791)
STORAGE_SAVER_SIDE: Final = 1080  # and videos higher than 1080p to 1080p

# The first extension is the one a file gets that has none of them.
_TAKEN: Final[dict[str, tuple[str, ...]]] = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/heic": ("heic", "hif", "heif"),
    "image/heif": ("heif", "heic", "hif"),
    "image/heic-sequence": ("heic", "heics"),
    "image/heif-sequence": ("heif", "heifs"),
    "image/avif": ("avif",),
    "image/png": ("png",),
    "image/apng": ("png",),
    "image/webp": ("webp",),
    "image/gif": ("gif",),
    # raw files
    "image/x-adobe-dng": ("dng",),
    "image/x-canon-cr2": ("cr2",),
    "image/x-canon-cr3": ("cr3",),
    "image/x-nikon-nef": ("nef",),
    "image/x-nikon-nrw": ("nrw",),
    "image/x-sony-arw": ("arw",),
    "image/x-sony-sr2": ("sr2",),
    "image/x-sony-srf": ("srf",),
    "image/x-olympus-orf": ("orf", "ori"),
    "image/x-panasonic-rw2": ("rw2",),
    "image/x-fujifilm-raf": ("raf",),
    "image/x-pentax-pef": ("pef",),
    "image/x-samsung-srw": ("srw",),
    "image/x-leica-rwl": ("rwl",),
    # videos
    "video/mp4": ("mp4",),
    "video/quicktime": ("mov", "qt"),
    "video/x-m4v": ("m4v",),
    "video/3gpp": ("3gp", "3gpp"),
    "video/3gpp2": ("3g2",),
    "video/matroska": ("mkv",),
    "video/x-msvideo": ("avi", "divx"),
    "video/mp2t": ("mts", "m2ts", "m2t", "tod"),
    "video/mpeg": ("mpg", "mod"),
    "video/x-ms-wmv": ("wmv",),
    "video/x-ms-asf": ("asf", "wmv"),
}


def takes(media_type: str) -> bool:
    """Whether the app backs up files of this type as they are."""
    return media_type in _TAKEN


def right_extension(media_type: str) -> str:
    """The extension, without the dot, such a file is to be named with. Raises KeyError for a type it does not take."""
    return _TAKEN[media_type][0]


def right_name(name: str, media_type: str) -> str:
    """`name`, its extension made to fit the content: a JPEG called IMG_1.HEIC is IMG_1.jpg. Else as it is.

    Android's media scan goes by the extension alone. Raises KeyError for a type it does not take.
    """
    stem, dot, extension = name.rpartition(".")
    if dot and stem and extension.lower() in _TAKEN[media_type]:
        return name
    return f"{stem if dot and stem else name}.{right_extension(media_type)}"
