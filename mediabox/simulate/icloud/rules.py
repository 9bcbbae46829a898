"""What this iCloud insists on. Everything as Apple does; a test may be kinder in one thing to look at another."""

from __future__ import annotations

import msgspec


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    demands_parameters: bool = True  # clientBuildNumber, clientMasteringNumber, clientId, dsid: all 125 recordings
    checks_owner: bool = True  # a zone is its name and its owner, in the database it is listed in
    renews_cookies: bool = True  # with answers of records/*: 15 of 15 recordings of 2023
    demands_quotes: bool = True  # every recorded client sends the token as it came: in quotes
    root_comes_first: bool = True  # ----Root-Folder---- among the albums: the one recording
