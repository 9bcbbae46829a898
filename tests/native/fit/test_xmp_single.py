"""XMP that was there before: what it says stays, and Google's readers find the clip (`google_readers`)."""

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from native.fit.google_readers import is_motion_photo_to_android, media3_items

from mediabox.native.boxes import Malformed
from mediabox.native.xmp.motion import Item, as_one_description, with_motion

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
CAMERA = "http://ns.google.com/photos/1.0/camera/"
ITEMS = (Item(semantic="Primary", mime="image/jpeg"), Item(semantic="MotionPhoto", mime="video/mp4", length=4321))
CLIP = ("video/mp4", "MotionPhoto", 4321, 0)
BARE = f'<rdf:RDF xmlns:rdf="{RDF}">{{}}</rdf:RDF>'
WRAPPED = f'<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 5.6">{BARE}</x:xmpmeta>'
DC = "http://purl.org/dc/elements/1.1/"
LIST = f'<dc:subject xmlns:dc="{DC}"><rdf:Bag><rdf:li>Å &amp; "b"</rdf:li></rdf:Bag></dc:subject>'
LOOK = (
    '<rdf:Description rdf:about="" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/"><crs:Look><rdf:Description '
    'crs:Name="Adobe Color"><crs:Parameters><rdf:Description crs:Version="14.0"/></crs:Parameters></rdf:Description>'
    "</crs:Look></rdf:Description>"
)
RATED = f'<rdf:Description rdf:about="" xmlns:xmp="{XMP}" xmp:Rating="4" xmp:Label="a &gt; b"/>'
PACKETS = {
    "none": "",
    "wrapped, attributes": WRAPPED.format(RATED),
    "no wrapper": BARE.format(RATED),
    "no description": WRAPPED.format(""),
    "an empty RDF": f'<rdf:RDF xmlns:rdf="{RDF}"/>',
    "one rating twice": WRAPPED.format(RATED * 2),
    "two descriptions": WRAPPED.format(f'{RATED}<rdf:Description rdf:about="">{LIST}</rdf:Description>'),
    "a structure as a description": WRAPPED.format(LOOK + RATED),
    "a stale flag, off": WRAPPED.format(f'<rdf:Description xmlns:GCamera="{CAMERA}" GCamera:MotionPhoto="0"/>{RATED}'),
    "a stale flag in an element": WRAPPED.format(
        f'<rdf:Description xmlns:c="{CAMERA}"><c:MicroVideo>0</c:MicroVideo></rdf:Description>{RATED}'
    ),
    "other prefixes": f'<m:xmpmeta xmlns:m="adobe:ns:meta/"><r:RDF xmlns:r="{RDF}"><r:Description r:about="uuid:1" '
    f"xmlns:q='{XMP}' q:Rating='4'/></r:RDF></m:xmpmeta>",
    "one prefix for two namespaces": WRAPPED.format(
        f'<rdf:Description xmlns:a="{XMP}" a:Rating="4"/><rdf:Description xmlns:a="urn:b" a:word="kept"/>'
    ),
    "a default namespace": f'<xmpmeta xmlns="adobe:ns:meta/">{BARE.format(RATED)}</xmpmeta>',
    "a directory under other prefixes": WRAPPED.format(
        '<rdf:Description xmlns:GContainer="http://ns.google.com/photos/1.0/container/" '
        'xmlns:GContainerItem="http://ns.google.com/photos/1.0/container/item/"><GContainer:Directory><rdf:Seq>'
        '<rdf:li rdf:parseType="Resource"><GContainer:Item GContainerItem:Mime="image/jpeg" '
        'GContainerItem:Semantic="Primary"/></rdf:li></rdf:Seq></GContainer:Directory></rdf:Description>'
    ),
}


@pytest.mark.parametrize("kind", PACKETS)
def test_googles_readers_find_the_clip_whatever_was_there(kind: str) -> None:
    made = with_motion(PACKETS[kind].encode(), ITEMS, still_at_us=1500)

    assert is_motion_photo_to_android(made)
    assert (media3_items(made) or [])[-1] == CLIP
    assert made.count(b"<rdf:Description") == 1
    assert made.count(b":MotionPhoto=") == made.count(b"Container:Directory>") / 2 == 1


@pytest.mark.parametrize("kind", PACKETS)
def test_what_others_wrote_is_still_said(kind: str) -> None:
    """By another reader of RDF than ours, which knows namespaces only."""
    if not PACKETS[kind]:
        return

    before, after = (said(packet) for packet in (PACKETS[kind].encode(), as_one_description(PACKETS[kind].encode())))

    assert after == before


def said(packet: bytes) -> list[object]:
    """Every property as (name, value), attributes and elements alike, structures as what they hold."""
    rdf = next(ET.fromstring(packet).iter(f"{{{RDF}}}RDF"))
    return sorted(str(each) for description in rdf for each in properties(description))


def properties(description: ET.Element) -> list[tuple[str, object]]:
    names = {name: text for name, text in description.attrib.items() if not name.startswith(f"{{{RDF}}}")}
    inner = [(child.tag, value(child)) for child in description]
    return [*((name, text) for name, text in names.items() if name.startswith("{")), *inner]


def value(element: ET.Element) -> object:
    children = list(element)
    if len(children) == 1 and children[0].tag == f"{{{RDF}}}Description":
        return sorted(map(str, properties(children[0])))
    if element.get(f"{{{RDF}}}parseType") == "Resource":
        return sorted(map(str, properties(element)))
    if children:
        return [(child.tag, sorted(child.attrib.items()), value(child)) for child in children]
    return (element.text, sorted(element.attrib.items())) if element.attrib else element.text or ""


@needs_exiftool
@pytest.mark.parametrize("kind", ["two descriptions", "a structure as a description"])
def test_exiftool_reads_the_same_before_and_after(kind: str, tmp_path: Path) -> None:
    def read(packet: bytes) -> dict[str, object]:
        path = tmp_path / "a.xmp"
        path.write_bytes(packet)
        argv = ["exiftool", "-j", "-struct", "-G1", "-XMP:all", "-x", "XMPToolkit", str(path)]
        [found] = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
        return {name: text for name, text in found.items() if name not in {"SourceFile", "XMP-x:XMPToolkit"}}

    assert read(as_one_description(PACKETS[kind].encode())) == read(PACKETS[kind].encode())


def test_a_known_prefix_for_another_namespace_gives_way() -> None:
    packet = WRAPPED.format('<rdf:Description xmlns:GCamera="urn:other" GCamera:a="1"/>').encode()

    made = with_motion(packet, ITEMS, still_at_us=None)

    assert is_motion_photo_to_android(made)
    assert ("{urn:other}a", "1") in list(properties(next(ET.fromstring(made).iter(f"{{{RDF}}}Description"))))


def test_what_an_older_longer_packet_left_behind_is_passed_over() -> None:
    packet = WRAPPED.format(RATED) + "</rdf:RDF></x:xmpmeta>"

    assert is_motion_photo_to_android(with_motion(packet.encode(), ITEMS, still_at_us=None))
    assert said(as_one_description(packet.encode())) == said(WRAPPED.format(RATED).encode())


def test_what_is_nested_without_end_is_refused() -> None:
    packet = WRAPPED.format(f"<rdf:Description>{'<a>' * 200}{'</a>' * 200}</rdf:Description>")

    with pytest.raises(Malformed):
        with_motion(packet.encode(), ITEMS, still_at_us=None)
