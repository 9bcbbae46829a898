"""Photos in one or several folders: a share, a disk, what another program fills.

Read `source` first (the class), then `listing` (what is listed), `walk` (one tree),
`pour` (bytes) and `watch` (when to look again).
"""

from mediabox.sources.folder.settings import Settings
from mediabox.sources.folder.source import Folder

SOURCE = Folder

__all__ = ["SOURCE", "Folder", "Settings"]
