"""Import everything a child will need, and use it once, before its doors close.

Decoders load parts of themselves on first use: plug-ins, character sets, tables. After
the sandbox is armed nothing can be opened any more, so every kind a profile decodes is
decoded here, from pictures of 16 x 16 pixels.
"""

import io
import os
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mediabox.model.asset import Kind
from mediabox.model.facts import Facts
from mediabox.model.recipe import Conversion
from mediabox.native.boxes import Held
from mediabox.native.profiles import Profile

if TYPE_CHECKING:
    from PIL import Image

# One colour, written once by the libraries themselves; their encoders take 30 MB, a child has no use for them.
_AVIF = b64decode(
    "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAO"
    "cGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAJAAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAA"
    "AABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAEAAAABAAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAG"
    "gAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAALG1kYXQSAAoJGAz/2iAhoNCAMhUex4eFWd///+LAAAB1fVmv88LS4HA="
)
_JXL = b64decode("/wpDBkAWiAYAtABBZxUAgAqVUcYNXs71fPmhw2LaxnWGttq2sISx2V4YJCScNNTl5rBD+kGgkgQ=")
_HEIC = b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9j"
    "AAAAAERAAAEAAQAAAAABoAABAAAAAAAAACUAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/Glw"
    "cnAAAADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AA"
    "AAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABA"
    "AAAAQAAAAChjbGFwAAAAEAAAAAEAAAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYEC"
    "AwWEAAAALW1kYXQAAAAhKAGvBBITDOD46cJoCaH9IJUCzyftqyvjSZ93sRiSqf+g"
)


def preload(profile: Profile) -> dict[str, str]:
    """Make this process able to do all that `profile` promises; return the decoders' versions by name."""
    match profile:
        case Profile.PICTURE:
            return _pictures()
        case Profile.MOVIE:
            return _pictures() | _movies()
        case Profile.ENCODE:
            return _pictures() | _movies() | _large() | _encoders()
        case Profile.LARGE:
            return _pictures() | _large()


def _pictures() -> dict[str, str]:
    import numpy as np
    import PIL
    from PIL import features

    from mediabox.native import jxl, pixels, raw  # noqa: F401 - for later, when nothing can be imported

    for media_type, sample in _samples():
        pixels.examine(Held(sample), Facts(kind=Kind.PICTURE, media_type=media_type))
    versions = {name: features.version(name) or "" for name in ("libjpeg_turbo", "zlib", "libtiff", "webp", "avif")}
    return {"pillow": PIL.__version__, "numpy": np.__version__} | versions


def _movies() -> dict[str, str]:
    import av
    import av.subtitles.codeccontext
    import av.subtitles.stream  # PyAV imports these only when a film has subtitles
    import pillow_heif

    from mediabox.native import libheif, movie, picture  # noqa: F401 - for later, when nothing can be imported

    picture.decode(Held(_HEIC), Facts(kind=Kind.PICTURE, media_type="image/heic"))
    libheif.decode(Held(_HEIC), orientation=1)
    return {"pyav": av.__version__, "ffmpeg": av.ffmpeg_version_info, "libheif": pillow_heif.libheif_version()}


def _large() -> dict[str, str]:
    os.environ["VIPS_CONCURRENCY"] = "1"  # the child's own threads are enough
    os.environ["VIPS_BLOCK_UNTRUSTED"] = "1"
    import pyvips

    from mediabox.native import large

    pyvips.cache_set_max(0)  # no picture is seen twice
    pyvips.cache_set_max_mem(0)
    pyvips.cache_set_max_files(0)
    for media_type, sample in _samples():
        if media_type in large.LOADERS:
            large.decode(Held(sample), Facts(kind=Kind.PICTURE, media_type=media_type))
    return {"libvips": ".".join(str(pyvips.version(part)) for part in range(3))}


def _encoders() -> dict[str, str]:
    """Convert one of each kind, into memory."""
    from av.codec import Codec

    from mediabox.native import encode

    for media_type, sample in (*_samples(), ("image/heic", _HEIC)):
        _convert(encode.convert, sample, media_type, to="image/jpeg")
    _convert(encode.convert, _film(), "video/quicktime", to="video/mp4")
    return {"x264": Codec("libx264", "w").long_name}


def _convert(convert: "Callable[[int, int, Conversion], object]", sample: bytes, media_type: str, *, to: str) -> None:
    source, into = (os.memfd_create(name) for name in ("source", "into"))
    try:
        os.write(source, sample)
        convert(source, into, Conversion(name="a", media_type=media_type, size_bytes=len(sample), to=to))
    finally:
        os.close(source)
        os.close(into)


def _film() -> bytes:
    """Two frames of fields with a sound that has to be encoded, so that every filter is met once."""
    import av
    import numpy as np

    held = io.BytesIO()
    with av.open(held, "w", format="mov") as film:
        picture = film.add_stream("mpeg2video", rate=25, options={"flags": "+ilme+ildct"})
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        sound = film.add_stream("pcm_s16le", rate=8000, layout="mono")
        for number in range(2):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            film.mux(picture.encode(frame))
        heard = av.AudioFrame.from_ndarray(np.zeros((1, 640), dtype=np.int16), format="s16", layout="mono")
        heard.sample_rate, heard.pts = 8000, 0
        film.mux(sound.encode(heard))
        film.mux([*picture.encode(None), *sound.encode(None)])
    return held.getvalue()


def _samples() -> Iterator[tuple[str, bytes]]:
    """A tiny picture of every kind that Pillow decodes."""
    from PIL import Image

    image = Image.radial_gradient("L").resize((16, 16)).convert("RGB")  # not flat, so that it gets a hash
    for media_type, kind in (("jpeg", "JPEG"), ("png", "PNG"), ("webp", "WEBP"), ("gif", "GIF"), ("bmp", "BMP")):
        yield f"image/{media_type}", _written(image, kind)
    yield "image/jpeg", _written(image.convert("CMYK"), "JPEG")
    yield "image/tiff", _written(image, "TIFF", compression="tiff_adobe_deflate")
    yield "image/avif", _AVIF
    yield "image/jxl", _JXL


def _written(image: "Image.Image", kind: str, **options: str) -> bytes:
    held = io.BytesIO()
    image.save(held, kind, **options)
    return held.getvalue()
