"""FFmpeg's names for what sample entries, Matroska and AVI call their codecs (mp4ra.org; RFC 9559; FFmpeg's riff.c)."""

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
_MATROSKA = {
    "V_MPEG4/ISO/AVC": "h264", "V_MPEGH/ISO/HEVC": "hevc", "V_AV1": "av1", "V_VP8": "vp8", "V_VP9": "vp9",
    "V_MPEG1": "mpeg1video", "V_MPEG2": "mpeg2video", "V_MPEG4/ISO/SP": "mpeg4", "V_MPEG4/ISO/ASP": "mpeg4",
    "V_MPEG4/ISO/AP": "mpeg4", "V_MPEG4/MS/V3": "msmpeg4v3", "V_MJPEG": "mjpeg", "V_PRORES": "prores",
    "V_THEORA": "theora", "V_FFV1": "ffv1", "A_OPUS": "opus", "A_VORBIS": "vorbis", "A_FLAC": "flac",
    "A_AC3": "ac3", "A_EAC3": "eac3", "A_DTS": "dts", "A_MPEG/L3": "mp3", "A_MPEG/L2": "mp2", "A_ALAC": "alac",
    "A_TRUEHD": "truehd", "A_PCM/INT/LIT": "pcm_s16le", "A_PCM/INT/BIG": "pcm_s16be", "A_PCM/FLOAT/IEEE": "pcm_f32le",
}  # fmt: skip
_AVI_PICTURES = {
    "MJPG": "mjpeg", "AVRN": "mjpeg", "H264": "h264", "X264": "h264", "AVC1": "h264", "HEVC": "hevc",
    "XVID": "mpeg4", "DIVX": "mpeg4", "DX50": "mpeg4", "FMP4": "mpeg4", "MP4V": "mpeg4", "MPG4": "msmpeg4v1",
    "MP42": "msmpeg4v2", "MP43": "msmpeg4v3", "DIV3": "msmpeg4v3", "DVSD": "dvvideo", "DVHD": "dvvideo",
    "MPG2": "mpeg2video", "MPG1": "mpeg1video", "WMV1": "wmv1", "WMV2": "wmv2", "WMV3": "wmv3", "WVC1": "vc1",
    "CVID": "cinepak", "IV50": "indeo5", "VP80": "vp8", "VP90": "vp9", "AV01": "av1", "FFV1": "ffv1",
}  # fmt: skip
_WAVE_SOUNDS = {
    0x01: "pcm_s16le", 0x02: "adpcm_ms", 0x03: "pcm_f32le", 0x06: "pcm_alaw", 0x07: "pcm_mulaw",
    0x11: "adpcm_ima_wav", 0x50: "mp2", 0x55: "mp3", 0xFF: "aac", 0x161: "wmav2", 0x162: "wmapro",
    0x1610: "aac", 0x2000: "ac3", 0x2001: "dts",
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


def matroska_codec(name: str) -> str | None:
    """The codec of a Matroska track (`A_AAC/MPEG4/LC` and the like are AAC)."""
    return "aac" if name.startswith("A_AAC") else _MATROSKA.get(name) or name.lower() or None


def avi_codec(four: bytes) -> str | None:
    """The codec of an AVI picture stream; all zeros are uncompressed pixels."""
    if four == bytes(4):
        return "rawvideo"
    name = _printable(four)
    return _AVI_PICTURES.get(name.upper(), name.lower()) if name else None


def wave_codec(tag: int) -> str | None:
    """The codec of a RIFF sound stream (mmreg.h)."""
    return _WAVE_SOUNDS.get(tag)


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
