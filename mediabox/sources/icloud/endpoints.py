"""Where iCloud lives: Apple's own hosts, those for mainland China, or hosts of one's own (the simulator).

Hosts and paths as seen in icloud-photos-downloader and timlaing/pyicloud, 2026.
"""

import re
import ssl
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Region = Literal["world", "china"]
Origin = Annotated[str, Meta(pattern=r"^https://[^/\s]+$", extra_json_schema={"x-expects": "https:// and a host"})]

CLIENT_BUILD = "2534Project66"  # what the web page of 2026 calls itself; servers want one they know
CLIENT_MASTERING = "2534B22"
USER_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.3.1 Safari/605.1.15"
)


_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,4}|:[1-6]\d{4})?(/[!-~]*)?")


def is_address(url: object) -> bool:
    """Whether it is an address that can be asked; what Apple gives may be anything."""
    return isinstance(url, str) and _ADDRESS.fullmatch(url) is not None


class Hosts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Instead of Apple's: for a simulator, or a proxy of one's own."""

    auth: Annotated[Origin, Meta(title="Host of sign-in")]
    setup: Annotated[Origin, Meta(title="Host of the account")]
    home: Annotated[Origin, Meta(title="Host of the page")]
    ca_file: Annotated[
        str | None, Meta(title="Certificate authority", description="A PEM file; the system's when left out.")
    ] = None


class Endpoints(Hosts, frozen=True, kw_only=True):
    """The origins a sign-in and a session talk to, without a slash at the end."""

    is_china: bool = False

    @property
    def auth_root(self) -> str:
        return f"{self.auth}/appleauth/auth"

    @property
    def setup_root(self) -> str:
        return f"{self.setup}/setup/ws/1"

    @property
    def is_apple(self) -> bool:
        return self in (WORLD, CHINA)

    def headers(self) -> dict[str, str]:
        """What every request to iCloud carries beside its cookies."""
        return {"User-Agent": USER_AGENT, "Origin": self.home, "Referer": f"{self.home}/"}

    def tls(self) -> ssl.SSLContext:
        """For a client of our own. Reads files: call it once, from a thread."""
        return ssl.create_default_context(cafile=self.ca_file)


WORLD = Endpoints(auth="https://idmsa.apple.com", setup="https://setup.icloud.com", home="https://www.icloud.com")
# The accounts' data is in China, their sign-in is not (timlaing/pyicloud, base.py, 2026-07).
CHINA = Endpoints(
    auth="https://idmsa.apple.com",
    setup="https://setup.icloud.com.cn",
    home="https://www.icloud.com.cn",
    is_china=True,
)


def endpoints(region: Region = "world", *, hosts: Hosts | None = None) -> Endpoints:
    """The endpoints a person's settings mean."""
    if hosts is not None:
        return Endpoints(**msgspec.structs.asdict(hosts), is_china=region == "china")
    return CHINA if region == "china" else WORLD
