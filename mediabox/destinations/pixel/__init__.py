"""Google Photos, through a Pixel phone that Syncthing feeds.

Read `pixel` first (the class), then `rules` (what goes, in which form), `making` (the
file), `folder` (what Syncthing shows of it) and `evidence` (what that proves).
"""

from mediabox.destinations.pixel.settings import Settings

__all__ = ["Settings"]
