"""JPEG Motion Photos, read by exiftool and ffmpeg as well as by ourselves."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fitting import (
    PAIR,
    PREVIEW,
    Open,
    fitted,
    jpeg,
    picture,
    put_together,
    request,
    segment,
    with_pictures,
    xmp_segment,
)

from mediabox.model.facts import Hdr
from mediabox.model.recipe import Insert, Part, Span
from mediabox.native.boxes import Held, Malformed
from mediabox.native.fit import Unfit, check, fit
from mediabox.native.fit.jpeg_layout import LARGEST_XMP_BYTES, read_still

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


@pytest.fixture
def opened() -> Iterator[Open]:
    held = Open()
    yield held
    held.close()


@pytest.fixture
def pair(media: Path) -> tuple[bytes, bytes]:
    """A Live Photo of our own."""
    still, clip = ((media / name).read_bytes() for name in PAIR)
    return still, clip + PREVIEW


def exiftool(path: Path, *options: str) -> dict[str, object]:
    done = subprocess.run(["exiftool", "-json", "-G1", "-a", "-n", *options, path], capture_output=True, check=True)
    return json.loads(done.stdout)[0]


def items_told(path: Path) -> list[tuple[str, str, int]]:
    """The container directory as exiftool reads it: semantic, type, length."""
    done = subprocess.run(
        ["exiftool", "-struct", "-json", "-XMP-Container:Directory", path], capture_output=True, check=True
    )
    listed = [entry["Item"] for entry in json.loads(done.stdout)[0]["Directory"]]
    return [(item["Semantic"], item["Mime"], int(item.get("Length", 0))) for item in listed]


def packet(inside: str) -> bytes:
    return f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='{RDF}'>{inside}</rdf:RDF></x:xmpmeta>".encode()


def packet_of(content: bytes) -> bytes:
    (found,) = [one for one in read_still(Held(content)).segments if one.head.startswith(b"http://ns.adobe.com/xap")]
    return content[found.body + 29 : found.end]


def test_the_still_is_whole_and_the_clip_is_the_last_of_the_file(pair: tuple[bytes, bytes]) -> None:
    still, clip = pair

    made, recipe, facts = fitted(still, clip)

    assert made.endswith(clip)
    assert len(made) - len(clip) == recipe.clip_offset
    assert facts.motion is not None
    assert (facts.motion.offset_bytes, facts.motion.size_bytes) == (recipe.clip_offset, len(clip))
    assert facts.content_identifier is not None  # the maker note is still understood
    assert facts.damage is None


def test_only_the_xmp_is_new_and_everything_else_is_named_not_carried(pair: tuple[bytes, bytes]) -> None:
    still, clip = pair

    recipe = fit(Held(still), Held(clip), request(still, clip))
    inserts = [piece for piece in recipe.pieces if isinstance(piece, Insert)]
    spans = [piece for piece in recipe.pieces if isinstance(piece, Span)]

    assert [insert.content[:33] for insert in inserts] == [
        b"\xff\xe1" + inserts[0].content[2:4] + b"http://ns.adobe.com/xap/1.0/\0"
    ]
    assert spans[-1] == Span(part=Part.CLIP, offset=0, length=len(clip))
    assert sum(span.length for span in spans if span.part is Part.FIRST) == len(still)


class Watched:
    """A source that remembers which bytes were asked for."""

    def __init__(self, content: bytes) -> None:
        self._held = Held(content)
        self.size = len(content)
        self.asked = 0
        self.most_at_once = 0

    def bytes(self, offset: int, length: int, /) -> bytes:
        self.asked += length
        self.most_at_once = max(self.most_at_once, length)
        return self._held.bytes(offset, length)


def test_of_the_clip_only_its_boxes_are_read(pair: tuple[bytes, bytes]) -> None:
    still, clip = pair
    long_clip = clip + (1_000_000).to_bytes(4, "big") + b"free" + bytes(999_992)
    watched = Watched(long_clip)

    recipe = fit(Held(still), watched, request(still, long_clip))

    assert recipe.size_bytes > 1_000_000
    assert watched.asked < 20_000


def test_neither_making_nor_proving_holds_more_than_a_piece_of_the_still(pair: tuple[bytes, bytes]) -> None:
    long_still = pair[0][:-2] + b"\x12\x34" * 2_000_000 + pair[0][-2:]
    first = Watched(long_still)
    recipe = fit(first, Held(pair[1]), request(long_still, pair[1]))
    made = Watched(put_together(recipe, long_still, pair[1]))

    check(made, first, media_type="image/jpeg", name="photo")

    assert sum(len(piece.content) for piece in recipe.pieces if isinstance(piece, Insert)) < 10_000
    assert max(first.most_at_once, made.most_at_once) <= 1 << 20


@needs_exiftool
def test_exiftool_sees_the_motion_photo_and_gives_the_very_clip_back(pair: tuple[bytes, bytes], tmp_path: Path) -> None:
    still, clip = pair
    path = tmp_path / "made.jpg"
    path.write_bytes(fitted(still, clip)[0])

    told = exiftool(path)
    trailer = subprocess.run(["exiftool", "-b", "-Trailer", path], capture_output=True, check=True).stdout

    assert (told["XMP-GCamera:MotionPhoto"], told["XMP-GCamera:MotionPhotoVersion"]) == (1, 1)
    assert (told["XMP-GCamera:MicroVideo"], told["XMP-GCamera:MicroVideoOffset"]) == (1, len(clip))
    assert items_told(path) == [("Primary", "image/jpeg", 0), ("MotionPhoto", "video/quicktime", len(clip))]
    assert trailer == clip


@needs_ffmpeg
def test_ffmpeg_plays_the_clip_where_it_lies_and_shows_the_same_still(
    pair: tuple[bytes, bytes], tmp_path: Path
) -> None:
    still, clip = pair
    paths = [tmp_path / name for name in ("still.jpg", "clip.mov", "made.jpg")]
    made, recipe, _ = fitted(still, clip)
    for path, content in zip(paths, (still, clip, made), strict=True):
        path.write_bytes(content)

    def frames(source: str) -> str:
        command = ["ffmpeg", "-v", "error", "-i", source, "-map", "0:v:0", "-f", "framemd5", "-"]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    assert frames(f"subfile,,start,{recipe.clip_offset},end,0,,:{paths[2]}") == frames(str(paths[1]))
    assert frames(str(paths[2])) == frames(str(paths[0]))


def test_a_clip_that_does_not_say_when_is_shown_at_a_time_unknown(pair: tuple[bytes, bytes]) -> None:
    made, recipe, facts = fitted(*pair)

    assert recipe.still_at_us is None
    assert facts.motion is not None
    assert facts.motion.timestamp_us is None
    assert b'GCamera:MotionPhotoPresentationTimestampUs="-1"' in made


def test_what_others_wrote_into_the_packet_is_still_there(pair: tuple[bytes, bytes]) -> None:
    mask = "".join(f"<q:dot  q:x='{number}'/>\n\t" for number in range(200))
    foreign = (
        f"<y:xmpmeta xmlns:y='adobe:ns:meta/'><r:RDF xmlns:r='{RDF}'><r:Description r:about='uuid:7' xmlns:q='urn:q' "
        f'q:a = "x &lt; y"><q:mask>{mask}</q:mask></r:Description>\n</r:RDF></y:xmpmeta>'
    )
    still = jpeg(picture(), xmp_segment(foreign.encode()))

    told = packet_of(fitted(still, pair[1])[0])

    assert b'rdf:about="uuid:7"' in told
    assert b'q:a="x &lt; y"' in told
    assert told.count(b"<q:dot q:x=") == 200


def test_words_of_a_clip_that_was_taken_off_are_taken_out(pair: tuple[bytes, bytes]) -> None:
    old, _, _ = fitted(*pair)
    bare = old[: old.index(pair[1])]  # an editor saved the still and dropped the clip

    made, _, facts = fitted(bare, pair[1] + bytes(8))
    told = packet_of(made)

    assert facts.motion is not None
    assert facts.motion.size_bytes == len(pair[1]) + 8
    assert told.count(b"GCamera:MotionPhoto=") == told.count(b"GCamera:MicroVideoOffset=") == 1
    assert told.count(b"<Container:Directory>") == 1
    assert told.count(b"video/quicktime") == 1


def test_words_written_as_elements_are_taken_out_too(pair: tuple[bytes, bytes]) -> None:
    old = packet(
        "<rdf:Description rdf:about='' xmlns:cam='http://ns.google.com/photos/1.0/camera/'><cam:MotionPhoto>1</cam:MotionPhoto>"
        "<cam:MicroVideoOffset>77</cam:MicroVideoOffset><cam:SpecialTypeID>9</cam:SpecialTypeID>"
        "</rdf:Description>"
    )
    still = jpeg(picture(), xmp_segment(old))

    told = packet_of(fitted(still, pair[1])[0])

    assert b"cam:MotionPhoto" not in told
    assert b"cam:MicroVideoOffset" not in told
    assert b"<GCamera:SpecialTypeID>9</GCamera:SpecialTypeID>" in told
    assert told.count(b":MotionPhoto=") == told.count(b":MicroVideoOffset=") == 1


def test_a_packet_loses_its_padding_and_one_without_room_is_refused(pair: tuple[bytes, bytes]) -> None:
    kept = "<rdf:Description xmlns:q='urn:q'><q:mask>{}</q:mask></rdf:Description>"
    body = packet(kept.format("x" * 60_000))
    padded = body + b" " * (LARGEST_XMP_BYTES - len(body) - 19) + b"<?xpacket end='w'?>"
    full = packet(kept.format("x" * (LARGEST_XMP_BYTES - 300)))

    made, _, facts = fitted(jpeg(picture(), xmp_segment(padded)), pair[1])

    assert facts.motion is not None
    assert b"x" * 60_000 in made
    with pytest.raises(Unfit, match="no room"):
        fitted(jpeg(picture(), xmp_segment(full)), pair[1])


def test_the_extended_packet_stays_where_readers_look_for_it(pair: tuple[bytes, bytes]) -> None:
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    names = "rdf:about='' xmlns:xmpNote='http://ns.adobe.com/xmp/note/'"
    main = packet(f"<rdf:Description {names} xmpNote:HasExtendedXMP='{guid.decode()}'/>")
    extended = b"http://ns.adobe.com/xmp/extension/\0" + guid + (100).to_bytes(4, "big") + bytes(4) + b"y" * 100
    still = jpeg(picture(), xmp_segment(main), segment(0xE1, extended))

    made = fitted(still, pair[1])[0]

    assert b'xmpNote:HasExtendedXMP="' + guid in packet_of(made)
    assert segment(0xE1, extended) in made


def test_pictures_behind_the_still_are_found_again_byte_for_byte(pair: tuple[bytes, bytes]) -> None:
    others = [jpeg(picture(40, 30, seed=seed)) for seed in (1, 2)]
    still = with_pictures(jpeg(picture()), *others)

    made, recipe, _ = fitted(still, pair[1])
    table = read_still(Held(made)).pictures
    assert table is not None

    found = [made[one.at : one.at + one.size] for one in table.behind]
    assert found == others
    assert table.pictures[0].size == table.behind[0].at
    assert recipe.clip_offset == table.behind[-1].at + table.behind[-1].size


def test_pictures_are_found_when_the_table_comes_before_what_is_written_anew(pair: tuple[bytes, bytes]) -> None:
    other = jpeg(picture(40, 30, seed=1))
    still = with_pictures(jpeg(picture(), xmp_segment(packet(""))), other)  # the table is put before the packet

    made = fitted(still, pair[1])[0]
    table = read_still(Held(made)).pictures

    assert table is not None
    assert [made[one.at : one.at + one.size] for one in table.behind] == [other]


@needs_exiftool
def test_an_ultra_hdr_still_keeps_its_gain_map_and_lists_the_clip_behind_it(
    media: Path, pair: tuple[bytes, bytes], tmp_path: Path
) -> None:
    still = (media / "library/Android/Camera/PXL_20240211_113045123.jpg").read_bytes()
    table = read_still(Held(still)).pictures
    assert table is not None
    gain_map = still[table.behind[0].at :]
    path = tmp_path / "made.jpg"

    made, recipe, facts = fitted(still, pair[1])
    path.write_bytes(made)

    assert recipe.hdr is facts.hdr is Hdr.ULTRA_HDR
    assert items_told(path) == [
        ("Primary", "image/jpeg", 0),
        ("GainMap", "image/jpeg", len(gain_map)),
        ("MotionPhoto", "video/quicktime", len(pair[1])),
    ]
    assert made.endswith(gain_map + pair[1])
    assert subprocess.run(["exiftool", "-b", "-MPImage2", path], capture_output=True, check=True).stdout == gain_map


@pytest.mark.parametrize(
    "name", ["library/Android/Camera/20220808_180808.jpg", "library/Android/Camera/PXL_20240309_142030456.MP.jpg"]
)
def test_a_still_that_holds_a_video_is_given_no_other(name: str, media: Path, pair: tuple[bytes, bytes]) -> None:
    still = (media / name).read_bytes()

    with pytest.raises(Unfit, match="holds a video already"):
        fit(Held(still), Held(pair[1]), request(still, pair[1]))


def test_a_still_that_is_cut_is_given_no_clip(pair: tuple[bytes, bytes]) -> None:
    still = pair[0][: len(pair[0]) // 2]

    with pytest.raises(Unfit, match="damaged"):
        fit(Held(still), Held(pair[1]), request(still, pair[1]))


@pytest.mark.parametrize("clip", [b"", b"RIFF....AVI LIST", b"\0\0\0\x08wide\0\0\0\x10mdat"])
def test_what_is_no_movie_of_today_is_put_behind_nothing(clip: bytes, pair: tuple[bytes, bytes]) -> None:
    with pytest.raises(Unfit, match="clip"):
        fit(Held(pair[0]), Held(clip), request(pair[0], clip))


def test_a_clip_of_another_length_than_told_is_refused(pair: tuple[bytes, bytes]) -> None:
    with pytest.raises(Unfit, match="bytes, not"):
        fit(Held(pair[0]), Held(pair[1]), request(pair[0], pair[1] + b"x"))


# ---------------------------------------------------------------- the proof


def test_any_changed_byte_of_the_picture_is_found(pair: tuple[bytes, bytes]) -> None:
    still, clip = pair
    made, recipe, _ = fitted(still, clip)
    layout = read_still(Held(made))
    ours = [
        (one.at, one.end)
        for one in layout.segments
        if one.head.startswith((b"Exif", b"http://ns.adobe.com/xap", b"MPF"))
    ]
    assert recipe.clip_offset is not None
    places = [at for at in range(2, recipe.clip_offset, 97) if not any(start <= at < end for start, end in ours)]

    missed = []
    for at in places:
        changed = made[:at] + bytes([made[at] ^ 1]) + made[at + 1 :]
        try:
            check(Held(changed), Held(still), media_type="image/jpeg", name="photo")
        except (Unfit, Malformed):
            continue
        missed.append(at)

    assert len(places) > 20
    assert missed == []


def test_a_result_that_lost_the_end_of_the_still_is_no_proof(pair: tuple[bytes, bytes]) -> None:
    still, clip = pair
    made, recipe, _ = fitted(still, clip)

    with pytest.raises(Unfit, match="picture data"):
        check(Held(made[: (recipe.clip_offset or 0) - 4] + clip), Held(still), media_type="image/jpeg", name="photo")


def test_a_result_without_its_profile_is_no_proof(pair: tuple[bytes, bytes]) -> None:
    profile = segment(0xE2, b"ICC_PROFILE\0\x01\x01" + bytes(128))
    still = jpeg(picture(), profile)
    made = fitted(still, pair[1])[0]

    with pytest.raises(Unfit, match="segment"):
        check(Held(made.replace(profile, b"")), Held(still), media_type="image/jpeg", name="photo")


# ---------------------------------------------------------------- real ones


def motion_free(samples: Path) -> list[Path]:
    names = ("*.jpg", "*.jpeg", "*.JPG")
    return sorted(path for name in names for path in samples.rglob(name) if "corrupt" not in path.parent.name)


@needs_exiftool
def test_every_real_jpeg_takes_a_real_clip_and_other_readers_find_both(
    samples: Path, opened: Open, tmp_path: Path
) -> None:
    clip_path = samples / "live-photo-pair/IMG_1635.MOV"
    clip = clip_path.read_bytes()
    folder = tmp_path / "made"
    folder.mkdir()
    refused: dict[str, str] = {}
    for number, path in enumerate(motion_free(samples)):
        still = path.read_bytes()
        source = opened(path)
        try:
            recipe = fit(source, opened(clip_path), request(still, clip))
        except Unfit as err:
            refused[path.name] = str(err)
            continue
        target = folder / f"{number:03}.jpg"
        target.write_bytes(put_together(recipe, still, clip))
        facts = check(opened(target), source, media_type="image/jpeg", name=path.name)
        assert facts.motion is not None, path
        assert (facts.motion.offset_bytes, facts.motion.timestamp_us) == (recipe.clip_offset, 1_300_000), path
        assert facts.hdr == recipe.hdr, path

    tags = ("-MotionPhoto", "-MotionPhotoPresentationTimestampUs", "-MicroVideoOffset", "-Warning", "-Error")
    done = subprocess.run(["exiftool", "-json", "-n", *tags, "-r", folder], capture_output=True, check=True)
    told = json.loads(done.stdout)
    assert len(told) > 50
    assert {(one["MotionPhoto"], one["MotionPhotoPresentationTimestampUs"]) for one in told} == {(1, 1_300_000)}
    assert {one["MicroVideoOffset"] for one in told} == {len(clip)}
    assert all("holds a video" in reason for reason in refused.values()), refused
