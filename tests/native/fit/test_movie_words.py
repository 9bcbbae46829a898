"""A movie is made to say when and where it was taken, and plays exactly what it played."""

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from referees import PLACE, TAKEN, Watched, assembled, facts, held, program, request, told_by_exiftool

from mediabox.model.facts import CaptureTime, TimeSource
from mediabox.model.recipe import FitRequest, Insert
from mediabox.native.boxes import Malformed
from mediabox.native.fit import movie
from mediabox.native.fit.unfit import Unfit

OWN = [
    "Android/Camera/VID_20230701_101112.mp4",
    "Android/Camera/VID_20230702_111213.mp4",
    "Clips/hdr10.mp4",
    "Clips/hlg.mov",
    "Clips/master.mov",
    "Clips/nokia.3gp",
    "DCIM/100APPLE/IMG_0001.MOV",
    "DCIM/100APPLE/IMG_0130.MOV",
]
INDEX_FIRST, INDEX_LAST = OWN[0], OWN[6]


def fitted(content: bytes, **told: object) -> bytes:
    result = assembled(movie.fit(held(content), asked(content, **told)), content)
    movie.same_picture(held(result), held(content))
    return result


def asked(content: bytes, **told: object) -> FitRequest:
    return request(content, "video/mp4", **(told or {"capture_time": TAKEN, "place": PLACE}))


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def frames(path: Path) -> bytes:
    """A digest of every packet of picture and sound, with its time."""
    streams = ["-map", "0:v?", "-map", "0:a?", "-c", "copy"]
    run = subprocess.run(
        [program("ffmpeg"), "-v", "quiet", "-i", path, *streams, "-f", "framemd5", "-"],
        check=True,
        capture_output=True,
    )
    return run.stdout


def told_by_ffprobe(path: Path) -> dict[str, str]:
    run = subprocess.run(
        [program("ffprobe"), "-v", "quiet", "-show_entries", "format_tags", "-of", "json", path],
        check=True,
        capture_output=True,
    )
    return msgspec.json.decode(run.stdout)["format"].get("tags", {})


@pytest.mark.parametrize("name", OWN)
def test_every_reader_finds_time_and_place_and_plays_the_same(name: str, media: Path, tmp_path: Path) -> None:
    content = (media / "library" / name).read_bytes()
    before, after = tmp_path / f"before{Path(name).suffix}", tmp_path / f"after{Path(name).suffix}"
    before.write_bytes(content)

    after.write_bytes(result := fitted(content))

    told = told_by_exiftool(after, "CreateDate", "TrackCreateDate", "MediaCreateDate", "GPSLatitude", "GPSLongitude")
    assert {told[tag] for tag in ("CreateDate", "TrackCreateDate", "MediaCreateDate")} == {"2021:03:04 03:06:07"}
    assert told["GPSLatitude"] == pytest.approx(PLACE.latitude, abs=1e-4)
    assert told["GPSLongitude"] == pytest.approx(PLACE.longitude, abs=1e-4)
    assert told_by_ffprobe(after)["location"] == "+48.8577-002.2951/"
    ours = facts(result, name)
    assert ours.capture_time is not None
    assert ours.place is not None
    assert ours.capture_time.local == (
        "2021-03-04T05:06:07" if name.endswith(("mov", "MOV")) else "2021-03-04T03:06:07"
    )
    assert (ours.place.latitude, ours.place.longitude) == pytest.approx((PLACE.latitude, PLACE.longitude), abs=1e-4)
    assert ours.damage == facts(content, name).damage
    assert frames(after) == frames(before)


@pytest.mark.parametrize("name", ["Clips/hlg.mov", "DCIM/100APPLE/IMG_0130.MOV"])
def test_quicktime_keeps_the_wall_clock_with_its_zone(name: str, media: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.mov"

    path.write_bytes(fitted((media / "library" / name).read_bytes()))

    told = told_by_ffprobe(path)
    assert told_by_exiftool(path, "CreationDate")["CreationDate"] == "2021:03:04 05:06:07+02:00"
    assert told["com.apple.quicktime.creationdate"] == "2021-03-04T05:06:07+0200"
    assert told["com.apple.quicktime.location.ISO6709"] == "+48.85771-002.29512+035.000/"


def test_what_was_told_besides_stays_told(media: Path) -> None:
    content = (media / "library" / "DCIM/100APPLE/IMG_0130.MOV").read_bytes()

    before, after = facts(content, "a.mov"), facts(fitted(content), "a.mov")

    for kept in ("camera", "software", "content_identifier", "duration_s", "orientation", "hdr", "video_codec"):
        assert getattr(after, kept) == getattr(before, kept)
    assert before.camera is not None


def test_no_older_place_or_date_stays_beside_the_new_ones(media: Path) -> None:
    old, is_text = b"+10.0000+020.0000/", struct.pack(">II", 1, 0)
    words = box(
        b"udta",
        box(b"\xa9xyz", struct.pack(">HH", len(old), 0x15C7), old),
        box(b"loci", bytes(6), b"\0\0", struct.pack(">iii", 20 << 16, 10 << 16, 0), b"\0\0"),
        box(b"\xa9day", struct.pack(">HH", 25, 0), b"2001-01-01T00:00:00+00:00"),
        box(
            b"meta",
            bytes(4),
            box(b"hdlr", bytes(8), b"mdirappl", bytes(9)),
            box(b"ilst", box(b"\xa9xyz", box(b"data", is_text, old)), box(b"\xa9nam", box(b"data", is_text, b"song"))),
        ),
        b"\0\0\0\0",
    )  # fmt: skip
    content = with_index((media / "library" / INDEX_LAST).read_bytes(), lambda index: without(index, b"udta") + words)

    result = fitted(content)

    assert old not in result
    assert b"loci" not in result
    assert b"2001-01-01" not in result
    assert b"song" in result
    assert result.count(b"+48.8577-002.2951/") == 2
    assert facts(result, "a.mp4").place == msgspec.structs.replace(
        PLACE, latitude=48.8577, longitude=-2.2951, altitude_m=None
    )


def test_a_second_time_changes_nothing(media: Path) -> None:
    for name in OWN:
        once = fitted((media / "library" / name).read_bytes())

        assert fitted(once) == once


def test_time_alone_is_written_where_the_old_one_stood(media: Path) -> None:
    content = (media / "library" / INDEX_FIRST).read_bytes()

    recipe = movie.fit(held(content), asked(content, capture_time=TAKEN))

    assert recipe.size_bytes == len(content)
    assert sum(len(piece.content) for piece in recipe.pieces if isinstance(piece, Insert)) < 100


def test_says_so_when_the_zone_is_not_known(media: Path) -> None:
    content = (media / "library" / INDEX_FIRST).read_bytes()
    taken = CaptureTime(local="2021-03-04T05:06:07", source=TimeSource.SOURCE)

    recipe = movie.fit(held(content), asked(content, capture_time=taken))

    made = facts(assembled(recipe, content), "a.mp4").capture_time
    assert "zone not known" in recipe.note
    assert made is not None
    assert made.local == taken.local


def test_reads_nothing_of_the_samples(media: Path) -> None:
    content = (media / "library" / INDEX_LAST).read_bytes()
    longer = content + box(b"mdat", bytes(50_000_000))
    source = Watched(longer)

    movie.fit(source, asked(longer))

    assert source.read < 64_000


# ---------------------------------------------------------------- chunk offsets


def with_index(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The movie with another index behind its data; chunk offsets are as they were."""
    at = content.index(b"moov") - 4
    size = int.from_bytes(content[at : at + 4], "big")
    return content[:at] + content[at + size :] + box(b"moov", change(content[at + 8 : at + size]))


def without(index: bytes, kind: bytes) -> bytes:
    kept, at = b"", 0
    while at + 8 <= len(index):
        size = int.from_bytes(index[at : at + 4], "big")
        kept += index[at : at + size] if index[at + 4 : at + 8] != kind else b""
        at += size
    return kept


def wide(index: bytes) -> bytes:
    """Chunk offsets of 64 bits, under the same index: sizes of all boxes around grow."""
    out = b""
    at = 0
    while at + 8 <= len(index):
        size, kind = struct.unpack_from(">I4s", index, at)
        inner = index[at + 8 : at + size]
        if kind in (b"trak", b"mdia", b"minf", b"stbl"):
            inner = wide(inner)
        elif kind == b"stco":
            (count,) = struct.unpack_from(">I", inner, 4)
            kind, inner = b"co64", inner[:8] + struct.pack(f">{count}Q", *struct.unpack_from(f">{count}I", inner, 8))
        out += box(kind, inner)
        at += size
    return out


def test_chunks_are_found_by_64_bits_as_well(media: Path, tmp_path: Path) -> None:
    original = media / "library" / INDEX_LAST
    content = with_index(original.read_bytes(), wide)
    path = tmp_path / "one.mov"

    path.write_bytes(fitted(content))

    assert frames(path) == frames(original)


def test_chunks_of_several_data_boxes_move_where_they_have_to(media: Path, tmp_path: Path) -> None:
    """Data before the index stay where they are, data behind it move."""
    content = (media / "library" / INDEX_FIRST).read_bytes()
    moov = content.index(b"moov") - 4
    before = box(b"mdat", b"in front of the index")
    shifted = content[:moov] + before + content[moov:]
    shifted = moved(shifted, len(before))
    path, original = tmp_path / "one.mp4", tmp_path / "two.mp4"
    original.write_bytes(shifted)

    path.write_bytes(fitted(shifted))

    assert frames(path) == frames(original) == frames(media / "library" / INDEX_FIRST)


def moved(content: bytes, by: int) -> bytes:
    out = bytearray(content)
    at = content.find(b"stco")
    while at > 0:
        (count,) = struct.unpack_from(">I", content, at + 8)
        offsets = struct.unpack_from(f">{count}I", content, at + 12)
        struct.pack_into(f">{count}I", out, at + 12, *(offset + by for offset in offsets))
        at = content.find(b"stco", at + 1)
    return bytes(out)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content[:-1], "cut short"),
        (lambda content: content + b"\0\0\0", "behind its last box"),
        (lambda content: content + box(b"moof", bytes(8)), "fragments"),
        (lambda content: content + box(b"moov", bytes(8)), "2 indices"),
        (lambda content: content.replace(b"moov", b"free", 1), "0 indices"),
        (lambda content: content.replace(b"mvhd", b"cmov", 1), "no header"),
        (lambda content: content.replace(b"stss", b"saio", 1), "encrypted"),
        (lambda content: with_index(content, lambda index: index + box(b"udta") * 2), "words twice"),
    ],
)
def test_refuses_what_it_cannot_change_safely(change, reason: str, media: Path) -> None:
    content = change((media / "library" / INDEX_FIRST).read_bytes())

    with pytest.raises(Unfit, match=reason):
        movie.fit(held(content), asked(content))


def test_refuses_to_move_a_chunk_past_what_its_table_can_say(media: Path) -> None:
    content = bytearray((media / "library" / INDEX_FIRST).read_bytes())
    at = content.index(b"stco")
    content[at + 12 : at + 16] = b"\xff\xff\xff\xf0"

    with pytest.raises(Unfit, match="too long"):
        movie.fit(held(bytes(content)), asked(bytes(content)))


@pytest.mark.parametrize(("local", "reason"), [("2041-01-01T00:00:00", "clock ends"), ("1903-01-01T00:00:00", "1904")])
def test_refuses_a_time_the_movies_clock_cannot_say(local: str, reason: str, media: Path) -> None:
    content = (media / "library" / INDEX_FIRST).read_bytes()

    with pytest.raises(Unfit, match=reason):
        movie.fit(held(content), asked(content, capture_time=msgspec.structs.replace(TAKEN, local=local)))


# ---------------------------------------------------------------- the proof


def test_the_proof_fails_for_one_changed_bit_of_sound_or_picture(media: Path) -> None:
    content = (media / "library" / INDEX_FIRST).read_bytes()
    result = fitted(content)
    start = result.index(b"mdat") + 4

    for at in range(start, len(result), (len(result) - start) // 20):
        changed = result[:at] + bytes((result[at] ^ 1,)) + result[at + 1 :]
        with pytest.raises(Unfit, match="data are not"):
            movie.same_picture(held(changed), held(content))


@pytest.mark.parametrize("table", [b"stsz", b"stsc", b"stts", b"stco", b"stsd", b"stss", b"edts", b"tkhd", b"hdlr"])
def test_the_proof_fails_for_one_changed_bit_of_any_table(table: bytes, media: Path) -> None:
    content = (media / "library" / INDEX_FIRST).read_bytes()
    result = bytearray(fitted(content))
    at = result.index(table)
    last = at + int.from_bytes(result[at - 4 : at], "big") - 5
    result[last] ^= 1

    with pytest.raises((Unfit, Malformed), match=table.decode()):
        movie.same_picture(held(bytes(result)), held(content))


def test_the_proof_fails_when_chunks_did_not_move_with_their_data(media: Path) -> None:
    content = (media / "library" / INDEX_FIRST).read_bytes()
    result = fitted(content)

    with pytest.raises(Unfit, match="stco"):
        movie.same_picture(held(moved(result, 4)), held(content))


# ---------------------------------------------------------------- real files


def test_every_real_movie_tells_and_plays_the_same_or_is_refused_with_a_reason(samples: Path, tmp_path: Path) -> None:
    told, refused = [], {}

    for path in sorted(samples.rglob("*")):
        if path.suffix.lower() not in (".mov", ".mp4", ".m4v", ".3gp"):
            continue
        content = path.read_bytes()
        try:
            result = fitted(content)
        except (Unfit, Malformed) as err:
            refused[path.name] = str(err)
            continue
        made = tmp_path / f"made{path.suffix}"
        made.write_bytes(result)
        ours, theirs = facts(result, path.name), told_by_exiftool(made, "CreateDate", "GPSLatitude")
        assert theirs["CreateDate"] == "2021:03:04 03:06:07", path.name
        assert theirs["GPSLatitude"] == pytest.approx(PLACE.latitude, abs=1e-4), path.name
        assert ours.capture_time is not None, path.name
        assert ours.capture_time.local in ("2021-03-04T05:06:07", "2021-03-04T03:06:07"), path.name
        assert ours.place is not None, path.name
        assert ours.place.latitude == pytest.approx(PLACE.latitude, abs=1e-4), path.name
        assert ours.damage == facts(content, path.name).damage, path.name
        if "corrupt" not in path.parent.name:
            assert frames(made) == frames(path), path.name
        told.append(path.name)

    assert len(told) >= 25
    assert all(refused.values())
