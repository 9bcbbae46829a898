"""Google Photos, through a Pixel phone that Syncthing feeds.

Read `pixel` first (the class), then `rules` (what goes, in which form), `making` (the
file), `folder` (what Syncthing shows of it) and `evidence` (what that proves).
"""

from mediabox.destinations.pixel.pixel import Pixel
from mediabox.destinations.pixel.settings import Settings

DESTINATION = Pixel

__all__ = ["DESTINATION", "Pixel", "Settings"]
