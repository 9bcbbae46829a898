"""FFmpeg's names for what sample entries and transport streams call their codecs (mp4ra.org; ISO/IEC 13818-1)."""

_PICTURES = {
    b"avc1": "h264", b"avc3": "h264", b"avc2": "h264", b"hvc1": "hevc", b"hev1": "hevc", b"dvh1": "hevc",
    b"dvhe": "hevc", b"dvav": "h264", b"dva1": "h264", b"av01": "av1", b"dav1": "av1", b"vp08": "vp8",
    b"vp09": "vp9", b"vvc1": "vvc", b"vvi1": "vvc", b"s263": "h263", b"h263": "h263", b"H263": "h263",
    b"jpeg": "mjpeg", b"mjpa": "mjpeg", b"mjpb": "mjpegb", b"AVDJ": "mjpeg", b"apcn": "prores", b"apch": "prores",
    b"apcs": "prores", b"apco": "prores", b"ap4h": "prores", b"ap4x": "prores", b"aprn": "prores_raw",
    b"aprh": "prores_raw", b"SVQ1": "svq1", b"SVQ3": "svq3", b"cvid": "cinepak", b"rle ": "qtrle",
    b"rpza": "rpza", b"smc ": "smc", b"dvc ": "dvvideo", b"dvcp": "dvvideo", b"dvpp": "dvvideo",
    b"dv5n": "dvvideo", b"dv5p": "dvvideo", b"dvh5": "dvvideo", b"dvh6": "dvvideo", b"mp2v": "mpeg2video",
    b"hdv1": "mpeg2video", b"hdv2": "mpeg2video", b"hdv3": "mpeg2video", b"xdvc": "mpeg2video",
    b"m2v1": "mpeg2video", b"mp4v": "mpeg4", b"png ": "png", b"raw ": "rawvideo", b"2vuy": "rawvideo",
    b"CFHD": "cfhd", b"AVdn": "dnxhd", b"AVdh": "dnxhd", b"unc1": "rawvideo", b"icod": "aic",
}  # fmt: skip
_SOUNDS = {
    b"mp4a": "aac", b"ac-3": "ac3", b"ec-3": "eac3", b"ac-4": "ac4", b"Opus": "opus", b"fLaC": "flac",
    b"alac": "alac", b"sowt": "pcm_s16le", b"twos": "pcm_s16be", b"lpcm": "pcm_s16le", b"ipcm": "pcm_s16le",
    b"in24": "pcm_s24be", b"in32": "pcm_s32be", b"fl32": "pcm_f32be", b"raw ": "pcm_u8", b"ulaw": "pcm_mulaw",
    b"alaw": "pcm_alaw", b"ima4": "adpcm_ima_qt", b"samr": "amr_nb", b"sawb": "amr_wb", b".mp3": "mp3",
    b"ms\0\x55": "mp3", b"QDM2": "qdm2", b"dtsc": "dts", b"dtsh": "dts", b"apac": "apac", b"mha1": "mpegh_3d_audio",
}  # fmt: skip
_OBJECT_TYPES = {  # of an `esds` (mp4ra.org, object types)
    0x20: "mpeg4", 0x21: "h264", 0x23: "hevc", 0x40: "aac", 0x60: "mpeg2video", 0x61: "mpeg2video",
    0x65: "mpeg2video", 0x66: "aac", 0x67: "aac", 0x68: "aac", 0x69: "mp3", 0x6A: "mpeg1video", 0x6B: "mp3",
    0x6C: "mjpeg", 0x6D: "png", 0xA5: "ac3", 0xA6: "eac3", 0xA9: "dts", 0xAD: "opus", 0xDD: "vorbis", 0xE1: "qcelp",
}  # fmt: skip
TRANSPORT = {  # stream types (ISO/IEC 13818-1, table 2-34; ATSC A/53)
    0x01: "mpeg1video", 0x02: "mpeg2video", 0x10: "mpeg4", 0x1B: "h264", 0x24: "hevc", 0x33: "vvc",
    0xEA: "vc1",
}  # fmt: skip
TRANSPORT_SOUNDS = {
    0x03: "mp3", 0x04: "mp2", 0x0F: "aac", 0x11: "aac_latm", 0x80: "pcm_bluray", 0x81: "ac3", 0x82: "dts",
    0x83: "truehd", 0x84: "eac3", 0x87: "eac3",
}  # fmt: skip


def codec_of(entry: bytes, body: bytes, *, is_sound: bool) -> str | None:
    """The codec of an ISO or QuickTime sample entry; what its `esds` says counts more than its name."""
    if entry in (b"mp4a", b"mp4v"):
        at = body.find(b"esds")
        told = None if at < 0 else _OBJECT_TYPES.get(_object_type(body[at + 8 : at + 48]))
        if told:
            return told
    named = (_SOUNDS if is_sound else _PICTURES).get(entry)
    return named or _printable(entry)


def _object_type(descriptor: bytes) -> int:
    """The objectTypeIndication inside an ES descriptor (ISO/IEC 14496-1, 7.2.6.6); 0 when there is none."""
    at = descriptor.find(b"\x04", 3)
    while 0 <= at < len(descriptor) - 2:
        after = at + 1
        while after < len(descriptor) - 1 and descriptor[after] & 0x80:  # lengths of up to four bytes
            after += 1
        if after - at <= 4 and descriptor[after] >= 13:
            return descriptor[after + 1]
        at = descriptor.find(b"\x04", at + 1)
    return 0


def _printable(four: bytes) -> str | None:
    text = four.decode("latin-1").strip()
    return text if text and text.isascii() and text.isprintable() else None
