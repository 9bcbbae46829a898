"""What a file is, from its first bytes and from its name."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediabox.model.asset import Kind
from mediabox.model.signature import kind_of, kind_of_name, media_type_of, media_type_of_name


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = major + bytes(4) + b"".join(compatible)
    return struct.pack(">I4s", 8 + len(body), b"ftyp") + body


def tiff(endian: str, *tags: tuple[int, int, int, int], data: bytes = b"") -> bytes:
    order = b"II" if endian == "<" else b"MM"
    rows = b"".join(struct.pack(endian + "HHII", *tag) for tag in tags)
    start = struct.pack(endian + "HIH", 42, 8, len(tags))
    return order + start + rows + bytes(4) + data


MAKE_AT = 8 + 2 + 2 * 12 + 4


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\xd8\xff\xe1", "image/jpeg"),
        (ftyp(b"heic", b"mif1"), "image/heic"),
        (ftyp(b"mif1", b"mif1", b"heic"), "image/heic"),
        (ftyp(b"mif1", b"avif", b"miaf"), "image/avif"),
        (ftyp(b"mif1", b"miaf"), "image/heif"),
        (ftyp(b"msf1", b"hevc"), "image/heic-sequence"),
        (ftyp(b"avis", b"avif"), "image/avif"),
        (ftyp(b"crx ", b"isom"), "image/x-canon-cr3"),
        (ftyp(b"qt  ", b"qt  "), "video/quicktime"),
        (ftyp(b"isom", b"mp42"), "video/mp4"),
        (ftyp(b"3gp4", b"isom"), "video/3gpp"),
        (ftyp(b"M4A ", b"isom"), "audio/mp4"),
        (b"\0\0\0\x08wide\0\0\x10\0mdat", "video/quicktime"),
        (b"\0\0\x10\0moov\0\0\0\x6cmvhd", "video/quicktime"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0AVI LIST", "video/x-msvideo"),
        (b"RIFF\x10\0\0\0WAVEfmt ", None),
        (b"GIF89a\x01\0", "image/gif"),
        (b"\xff\x0a\xfa\x1f", "image/jxl"),
        (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska", "video/matroska"),
        ((b"\x47" + bytes(187)) * 8, "video/mp2t"),
        ((bytes(4) + b"\x47" + bytes(187)) * 8, "video/mp2t"),
        (b"\0\0\x01\xba\x44", "video/mpeg"),
        (b"BM" + struct.pack("<IHHII", 70, 0, 0, 54, 40), "image/bmp"),
        (b"BMW drivers in the rain, a memoir", None),
        (b"FUJIFILMCCD-RAW 0201", "image/x-fujifilm-raf"),
        (b"II\x1a\0\0\0HEAPCCDR", "image/x-canon-crw"),
        (b"II*\0\x10\0\0\0CR\x02\0", "image/x-canon-cr2"),
        (b"IIRO\x08\0\0\0", "image/x-olympus-orf"),
        (b"IIU\0\x18\0\0\0", "image/x-panasonic-rw2"),
        (tiff("<", (0xC612, 1, 4, 0x0401)), "image/x-adobe-dng"),
        (tiff(">", (0x00FE, 4, 1, 1), (0x010F, 2, 18, MAKE_AT), data=b"NIKON CORPORATION\0"), "image/x-nikon-nef"),
        (tiff("<", (0x00FE, 4, 1, 0), (0x010F, 2, 18, MAKE_AT), data=b"NIKON CORPORATION\0"), "image/tiff"),
        (tiff("<", (0x0103, 3, 1, 65535), (0x010F, 2, 7, MAKE_AT), data=b"PENTAX\0"), "image/x-pentax-pef"),
        (b"\xef\xbb\xbf<?xpacket begin=''?><x:xmpmeta>", "application/rdf+xml"),
        (b"<!doctype html><html>", None),
        (b"", None),
    ],
)
def test_content_says_the_media_type(head: bytes, expected: str | None) -> None:
    assert media_type_of(head) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("IMG_0001.JPG", Kind.PICTURE),
        ("IMG_0001.HEIC", Kind.PICTURE),
        ("DSC_1.nef", Kind.PICTURE),
        ("clip.m2ts", Kind.VIDEO),
        ("clip.MTS", None),  # or TypeScript
        ("IMG_0001.AAE", Kind.SIDECAR),
        ("IMG_0001.jpg.xmp", Kind.SIDECAR),
        ("IMG_0001.jpg.json", Kind.SIDECAR),
        ("IMG_0001.jpg(2).json", Kind.SIDECAR),
        ("IMG_0001.jpg.supplemental-metadata.json", Kind.SIDECAR),
        ("IMG_0001.jpg.supplemental-metadata(3).json", Kind.SIDECAR),
        ("original_8d8b7f3a-41fa_PXL_20210.jpg.suppl.json", Kind.SIDECAR),
        ("IMG_0001.jpg.s.json", Kind.SIDECAR),
        ("package.json", None),
        ("tsconfig.build.json", None),
        ("._IMG_0001.JPG", None),
        (".jpg", None),
        ("README", None),
    ],
)
def test_names_say_the_kind(name: str, expected: Kind | None) -> None:
    assert kind_of_name(name) == expected


def test_content_is_believed_before_the_name() -> None:
    assert kind_of(ftyp(b"qt  "), "IMG_0001.JPG") is Kind.VIDEO


CODE = b"""import { readFile } from "node:fs/promises";
export declare function read(path: string): Promise<string>;  // caf\xc3\xa9
"""
PACKET = b"\x47" + bytes(187)


TEXTS = (CODE, b"module example.com/x\n\ngo 1.22\n", b"<?xml version='1.0'?><TS version='2.1'>", b"G" * 4096)


@pytest.mark.parametrize("name", ["index.d.ts", "module.mts", "go.mod", "notes.raw", "GAME.MOS", "a.vob", "x.cap"])
@pytest.mark.parametrize("text", [*TEXTS, b"\xff\xfea\0"])
def test_text_is_no_video_whatever_it_is_called(name: str, text: bytes) -> None:
    assert kind_of(text, name) is None


@pytest.mark.parametrize(
    "head",
    [
        PACKET * 20,
        (bytes(4) + PACKET) * 20,
        (PACKET + bytes(16)) * 20,
        (PACKET * 22)[77:4096],  # a recording cut off at its start
        ((bytes(4) + PACKET) * 22)[50:4096],
        b"\0\0\x01\xba" + bytes(100),
        bytes(4096),  # nothing known, but no text: taken in and flagged
    ],
)
@pytest.mark.parametrize("name", ["00001.MTS", "recording.ts", "MOV001.MOD"])
def test_a_recording_is_one_by_its_packets(head: bytes, name: str) -> None:
    assert kind_of(head, name) is Kind.VIDEO


def test_bytes_that_repeat_by_chance_are_no_recording() -> None:
    assert media_type_of(b"\0" * 77 + b"\x47" + bytes(187) + b"\x47" + bytes(187) + bytes(3000)) is None


def test_a_web_page_saved_as_a_picture_is_still_taken_in() -> None:
    assert kind_of(b"<!doctype html><html>", "holiday.jpg") is Kind.PICTURE


def test_an_empty_picture_is_still_taken_in() -> None:
    assert kind_of(b"", "IMG_0001.HEIC") is Kind.PICTURE


def test_a_json_of_something_else_is_not_a_sidecar() -> None:
    assert kind_of(b'{"name": "a package"}', "package.json") is None
    assert kind_of(b'{"title": "a.jpg", "photoTakenTime": {}}', "metadata.json") is Kind.SIDECAR


def test_a_macs_twin_file_is_never_a_picture() -> None:
    assert kind_of(b"\0\x05\x16\x07\0\x02\0\0", "._IMG_0001.JPG") is None


def test_sound_alone_is_neither_photo_nor_video() -> None:
    assert kind_of(ftyp(b"M4A "), "song.m4a") is None


def test_raw_extensions_have_their_media_type() -> None:
    assert media_type_of_name("A.ARW") == "image/x-sony-arw"


@given(st.binary(max_size=4096), st.text(max_size=40))
def test_any_bytes_under_any_name_get_an_answer(head: bytes, name: str) -> None:
    assert kind_of(head, name) in (*Kind, None)
