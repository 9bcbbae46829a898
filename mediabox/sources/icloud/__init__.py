"""Photos of one Apple account in iCloud.

Read `source` first (the class), then `listing` (what is there), `records` (what Apple
calls it), `cloudkit` (one call), `budget` (how often), `download` (bytes) and `sign_in`.
"""

from mediabox.sources.icloud.settings import Settings
from mediabox.sources.icloud.source import ICloud

SOURCE = ICloud

__all__ = ["SOURCE", "ICloud", "Settings"]
