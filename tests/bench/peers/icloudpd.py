"""icloudpd as published, on a simulated iCloud, signed in from the start.

    icloudpd.py SOURCES PLACE OUT     `PLACE`: a file with the JSON of `icloud_server.Served`

Nothing of it is changed but Apple's addresses. Photos come into OUT/photos, cookies lie in OUT/cookies.
"""

import json
import os
import re
import sys
import time
from http.cookiejar import Cookie, LWPCookieJar
from pathlib import Path
from typing import Any

DAY_S = 86_400
BELOW = {
    "AUTH_ROOT_ENDPOINT": "",
    "AUTH_ENDPOINT": "/appleauth/auth",
    "HOME_ENDPOINT": "",
    "SETUP_ENDPOINT": "/setup/ws/1",
}


class Fixed:
    """An attribute that stays as it is whatever its object sets."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __get__(self, owner: object, kind: type) -> str:
        return self._value

    def __set__(self, owner: object, value: str) -> None:
        """Apple's own address, which is not wanted here."""


def sign_in(session: dict[str, Any], folder: Path) -> None:
    """Leave what its own sign-in would."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "".join(re.findall(r"\w", session["apple_id"]))
    jar = LWPCookieJar(str(path))
    for one in session["browser"]["cookies"]:
        domain = {"domain": one["domain"], "domain_specified": True, "domain_initial_dot": False}
        rest = {"path": "/", "path_specified": True, "secure": True, "expires": int(time.time()) + DAY_S}
        others = {"port": None, "port_specified": False, "discard": False, "comment": None, "comment_url": None}
        jar.set_cookie(Cookie(0, one["name"], one["value"], **domain, **rest, **others, rest={}))
    jar.save(ignore_discard=True, ignore_expires=True)
    kept = {"session_token": "kept", "client_id": session["browser"]["client_id"]}
    path.with_suffix(".session").write_text(json.dumps(kept))


def main() -> None:
    sources, place, out = sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), Path(sys.argv[3])
    os.environ["REQUESTS_CA_BUNDLE"] = place["ca_file"]
    sys.path.insert(0, sources)
    from pyicloud_ipd.base import PyiCloudService

    for name, below in BELOW.items():
        setattr(PyiCloudService, name, Fixed(place["home"] + below))
    sign_in(place["session"], out / "cookies")
    from icloudpd.cli import cli

    account = ("--username", place["session"]["apple_id"], "--password", "nobody asks for it")
    folders = ("--directory", str(out / "photos"), "--cookie-directory", str(out / "cookies"))
    sys.argv = ["icloudpd", *account, *folders, "--no-progress-bar", "--log-level", "error"]
    sys.exit(cli())


if __name__ == "__main__":
    main()
