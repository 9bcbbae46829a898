"""The Exif of a still, wherever its kind keeps it: what the walk over its headers met."""

from mediabox.model.facts import Facts
from mediabox.native.boxes import Source
from mediabox.native.encode import exif
from mediabox.native.tags import walk
from mediabox.native.tags.findings import LIES, Findings


def tables(source: Source, facts: Facts) -> exif.ExifTables:
    """The source's tags; what `facts` know where it has no Exif that can be read."""
    found = Findings(facts.media_type, facts.kind)
    walk(source, found)
    try:
        return exif.of_facts(facts) if found.exif is None else exif.read(*found.exif)
    except LIES:
        return exif.of_facts(facts)
