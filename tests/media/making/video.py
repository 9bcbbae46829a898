"""Clips of a second or two, 160×120, in every container and coder a household meets."""

from __future__ import annotations

import os
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .pictures import ANDROID, PHONE
from .scene import pan
from .shelf import Entry, Shelf

CLIPS = "library/Clips/"
X265 = "info=0:pools=none:frame-threads=1:log-level=none"


def clip(
    name: str, *coder: str, seed: int, frames: int = 12, size: tuple[int, int] = (160, 120), sound: tuple[str, ...] = ()
) -> bytes:
    """Code a pan over a landscape at 12 frames a second with the system's ffmpeg; `name` chooses the container."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / name
        picture = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", "12", "-i", "-"]
        tone = ["-f", "lavfi", "-t", str(frames / 12), "-i", "sine=frequency=330:sample_rate=48000"] if sound else []
        exact = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-threads", "1"]
        command = ["ffmpeg", "-v", "error", "-y", *picture, *tone, *coder, *sound, *exact, str(target)]
        content = b"".join(frame.tobytes() for frame in pan(*size, seed, frames))
        subprocess.run(command, input=content, check=True, env=os.environ | {"SVT_LOG": "0"})
        return target.read_bytes()


H264 = ("-c:v", "libx264", "-preset", "medium", "-crf", "28", "-pix_fmt", "yuv420p")
HEVC = ("-c:v", "libx265", "-crf", "28", "-pix_fmt", "yuv420p", "-tag:v", "hvc1", "-x265-params", X265)
AAC = ("-c:a", "aac", "-b:a", "32k")


def quicktime(taken: str, *, place: str = "", identifier: str = "", model: str = "iPhone 15 Pro") -> tuple[str, ...]:
    """Options that write Apple's `com.apple.quicktime` keys into the movie's metadata."""
    keys = {"make": "Apple", "model": model, "software": "18.2", "creationdate": taken}
    keys |= {"location.ISO6709": place} if place else {}
    keys |= {"content.identifier": identifier} if identifier else {}
    options = ["-movflags", "use_metadata_tags"]
    for key, value in keys.items():
        options += ["-metadata", f"com.apple.quicktime.{key}={value}"]
    return tuple(options)


def made(taken: str) -> tuple[str, str]:
    """The movie header's creation time, UTC."""
    return "-metadata", f"creation_time={taken}"


def turned(movie: bytes) -> bytes:
    """The movie with a quarter turn to the right in the first track's matrix (ISO/IEC 14496-12, 6.2.2)."""
    content = bytearray(movie)
    at = content.index(b"tkhd") + 4 + 4 + 20 + 16  # version and flags, version 0 times and ids, layer to volume
    fixed = (0, 0x10000, 0, -0x10000 & 0xFFFFFFFF, 0, 0, 120 << 16, 0, 0x40000000)
    struct.pack_into(">9I", content, at, *fixed)
    return bytes(content)


def live_movie(identifier: str) -> bytes:
    """The paired video of a Live Photo."""
    keys = quicktime("2024-06-20T19:41:06+0200", place="+47.8095+013.0550+424.000/", identifier=identifier)
    return clip("l.mov", *HEVC, *keys, *made("2024-06-20T17:41:06Z"), seed=201, frames=18, sound=AAC)


SIZE: dict[str, Any] = {"kind": "video", "width": 160, "height": 120}
HEADER: dict[str, Any] = {"time_source": "movie_header", "offset_min": 0}
UNDATED: dict[str, Any] = {"time_source": "file_modified"}


def from_phones(shelf: Shelf) -> None:
    """MP4 and MOV as phones write them."""
    shelf.put(
        ANDROID + "VID_20230701_101112.mp4",
        clip("a.mp4", *H264, *made("2023-07-01T08:11:12Z"), "-movflags", "+faststart", seed=401, frames=24, sound=AAC),
        Entry(
            what="H.264 and AAC, index first",
            media_type="video/mp4",
            **SIZE,
            taken="2023-07-01T08:11:12",
            **HEADER,
            more="video_codec=h264; audio_codec=aac; duration_s=2.0",
        ),
    )
    apple = quicktime("2024-05-13T21:15:00+0900", place="+35.6586+139.7454+018.0/")
    shelf.put(
        PHONE + "IMG_0130.MOV",
        clip("b.mov", *HEVC, *apple, *made("2024-05-13T12:15:00Z"), seed=402, frames=24, sound=AAC),
        Entry(
            what="HEVC with QuickTime keys: zone and place",
            media_type="video/quicktime",
            **SIZE,
            taken="2024-05-13T21:15:00",
            offset_min=540,
            time_source="quicktime_date",
            latitude=35.6586,
            longitude=139.7454,
            more="video_codec=hevc; model=iPhone 15 Pro; duration_s=2.0",
        ),
    )
    shelf.put(
        ANDROID + "VID_20230702_111213.mp4",
        turned(clip("c.mp4", *H264, *made("2023-07-02T09:12:13Z"), seed=403)),
        Entry(
            what="portrait: a quarter turn in the track's matrix",
            kind="video",
            media_type="video/mp4",
            width=120,
            height=160,
            taken="2023-07-02T09:12:13",
            **HEADER,
            more="video_codec=h264; rotation=90",
        ),
    )


def from_the_web(shelf: Shelf) -> None:
    """Matroska and WebM."""
    shelf.put(
        CLIPS + "film.mkv",
        clip(
            "d.mkv",
            "-c:v",
            "libsvtav1",
            "-preset",
            "10",
            "-crf",
            "45",
            "-pix_fmt",
            "yuv420p",
            "-svtav1-params",
            "lp=1",
            seed=404,
        ),
        Entry(what="AV1 in Matroska", media_type="video/x-matroska", **SIZE, **UNDATED, more="video_codec=av1"),
    )
    shelf.put(
        CLIPS + "screen recording.webm",
        clip(
            "e.webm",
            "-c:v",
            "libvpx-vp9",
            "-crf",
            "40",
            "-b:v",
            "0",
            "-row-mt",
            "0",
            "-pix_fmt",
            "yuv420p",
            seed=405,
            sound=("-c:a", "libopus", "-b:a", "24k"),
        ),
        Entry(
            what="VP9 and Opus in WebM",
            media_type="video/webm",
            **SIZE,
            **UNDATED,
            more="video_codec=vp9; audio_codec=opus",
        ),
    )


def from_cameras(shelf: Shelf) -> None:
    """AVI and AVCHD."""
    shelf.put(
        CLIPS + "MVI_0007.AVI",
        clip(
            "f.avi",
            "-c:v",
            "mjpeg",
            "-q:v",
            "14",
            "-pix_fmt",
            "yuvj420p",
            seed=406,
            frames=8,
            sound=("-c:a", "pcm_u8", "-ar", "11025"),
        ),
        Entry(
            what="Motion JPEG in AVI, an old compact camera's",
            media_type="video/x-msvideo",
            **SIZE,
            **UNDATED,
            more="video_codec=mjpeg",
        ),
    )
    shelf.put(
        CLIPS + "divx.avi",
        clip(
            "g.avi",
            "-c:v",
            "mpeg4",
            "-q:v",
            "10",
            "-vtag",
            "XVID",
            seed=407,
            sound=("-c:a", "libmp3lame", "-b:a", "32k"),
        ),
        Entry(what="MPEG-4 and MP3 in AVI", media_type="video/x-msvideo", **SIZE, **UNDATED, more="video_codec=mpeg4"),
    )
    shelf.put(
        "library/Cameras/Sony/00001.MTS",
        clip("h.m2ts", *H264, "-f", "mpegts", "-mpegts_m2ts_mode", "1", seed=408, sound=("-c:a", "ac3", "-b:a", "64k")),
        Entry(
            what="AVCHD: H.264 and AC-3 in packets of 192 bytes",
            media_type="video/mp2t",
            **SIZE,
            **UNDATED,
            more="video_codec=h264; audio_codec=ac3",
        ),
    )


def from_elsewhere(shelf: Shelf) -> None:
    """ProRes and 3GP."""
    shelf.put(
        CLIPS + "master.mov",
        clip(
            "i.mov",
            "-c:v",
            "prores_ks",
            "-profile:v",
            "0",
            "-qscale:v",
            "20",
            "-pix_fmt",
            "yuv422p10le",
            *made("2021-01-01T10:00:00Z"),
            seed=409,
            frames=6,
        ),
        Entry(
            what="ProRes",
            media_type="video/quicktime",
            **SIZE,
            taken="2021-01-01T10:00:00",
            **HEADER,
            more="video_codec=prores",
        ),
    )
    shelf.put(
        CLIPS + "nokia.3gp",
        clip("j.3gp", "-c:v", "h263", "-q:v", "12", *made("2006-06-07T15:16:17Z"), seed=410, size=(176, 144)),
        Entry(
            what="H.263 in 3GP",
            kind="video",
            media_type="video/3gpp",
            width=176,
            height=144,
            taken="2006-06-07T15:16:17",
            **HEADER,
            more="video_codec=h263",
        ),
    )


def high_range(shelf: Shelf) -> None:
    """HDR10 and HLG, 10 bits."""
    for name, transfer, hdr, seed in (("hdr10.mp4", "smpte2084", "pq", 411), ("hlg.mov", "arib-std-b67", "hlg", 412)):
        light = ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
        options = f"{X265}:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc" + (light if hdr == "pq" else "")
        tags = ("-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc")
        shelf.put(
            CLIPS + name,
            clip(
                name,
                "-c:v",
                "libx265",
                "-crf",
                "30",
                "-pix_fmt",
                "yuv420p10le",
                "-tag:v",
                "hvc1",
                "-x265-params",
                options,
                *tags,
                *made("2023-03-03T13:13:13Z"),
                seed=seed,
            ),
            Entry(
                what=f"HEVC, 10 bits, {hdr.upper()}",
                media_type="video/mp4" if name.endswith("mp4") else "video/quicktime",
                **SIZE,
                taken="2023-03-03T13:13:13",
                **HEADER,
                more=f"video_codec=hevc; hdr={hdr}; bit_depth=10",
            ),
        )
