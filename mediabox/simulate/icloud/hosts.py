"""Where the parts of this iCloud are: under Apple's own names, or on loopback as paths and a second port."""

from __future__ import annotations

import re

# In the certificate, and answered by `Hosts.port_of`. All of Apple's that a client of Photos calls.
NAMES = ("idmsa.apple.com", "*.icloud.com", "*.icloud-content.com", "*.icloud.com.cn", "*.icloud-content.com.cn")
_HTTPS = 443
_PARTITION = re.compile(r"p(\d+)-([a-z]+)\.")


class Hosts:
    """Addresses, known once the server listens. No slash at the end.

    With `has_apples_names` every part has Apple's own address, and a resolver has to lead there (`port_of`). Without,
    what are hosts at Apple are paths here: for people who have no resolver to change.
    """

    def __init__(self, *, name: str = "127.0.0.1", region: str = "", has_apples_names: bool = False) -> None:
        self.name = name
        self.region = region  # "" or ".cn": which of the two iClouds this is
        self.has_apples_names = has_apples_names
        self.port = 0
        self.content_port = 0
        self.partition = 61  # the NN of pNN-ckdatabasews

    # -- what a client is configured with

    @property
    def auth_origin(self) -> str:
        return "https://idmsa.apple.com" if self.has_apples_names else self._loopback

    @property
    def setup_origin(self) -> str:
        return f"https://setup.icloud.com{self.region}" if self.has_apples_names else self._loopback

    @property
    def home(self) -> str:
        return f"https://www.icloud.com{self.region}" if self.has_apples_names else self._loopback

    @property
    def auth(self) -> str:
        return f"{self.auth_origin}/appleauth/auth"

    @property
    def setup(self) -> str:
        return f"{self.setup_origin}/setup/ws/1"

    # -- what Apple's answers name

    @property
    def database(self) -> str:
        """ckdatabasews: its partition can change from one sign-in to the next."""
        return self.service("ckdatabasews")

    @property
    def upload(self) -> str:
        return self.service("uploadimagews")

    @property
    def content(self) -> str:
        """cvws.icloud-content.com: another domain, hence without iCloud's cookies."""
        if self.has_apples_names:
            return f"https://cvws.icloud-content.com{self.region}"
        return f"https://{self.name}:{self.content_port}"

    def service(self, name: str) -> str:
        """A web service of this account's partition, as the account's answer names it: with its port."""
        if self.has_apples_names:
            return f"https://p{self.partition}-{name}.icloud.com{self.region}:{_HTTPS}"
        return f"{self._loopback}/p{self.partition}-{name}"

    @property
    def cookie_domain(self) -> str | None:
        """iCloud's cookies go to all its hosts. An address without a name has no domain."""
        return f".icloud.com{self.region}" if self.has_apples_names else None

    # -- what the server sees

    @property
    def control(self) -> str:
        """Orders of ours: always on loopback."""
        return f"{self._loopback}/_simulator"

    def below(self, service: str) -> str:
        """What stands before a service's paths, as a pattern for the router."""
        return "" if self.has_apples_names else f"/p{{partition}}-{service}"

    def port_of(self, host: str) -> int | None:
        """Which of the two servers answers for a name of Apple's; None for any other name."""
        if not any(_is_like(host, name) for name in NAMES):
            return None
        return self.content_port if "icloud-content" in host else self.port

    def is_right(self, host: str, endpoint: str) -> bool:
        """Whether an endpoint is served under this name. Everywhere, when names mean nothing."""
        if not self.has_apples_names:
            return True
        match endpoint.partition(".")[0]:
            case "auth":
                return host == "idmsa.apple.com"
            case "setup":
                return host == f"setup.icloud.com{self.region}"
            case "zones" | "changes" | "records":
                return host.endswith(f"-ckdatabasews.icloud.com{self.region}")
            case "content":
                return host == f"cvws.icloud-content.com{self.region}"
            case _:
                return "content" in host if endpoint == "upload.bytes" else "-upload" in host or "-photosupload" in host

    @property
    def _loopback(self) -> str:
        return f"https://{self.name}:{self.port}"


def partition_of(host: str) -> str | None:
    """The NN of pNN-service."""
    found = _PARTITION.match(host)
    return found[1] if found else None


def _is_like(host: str, name: str) -> bool:
    return host.partition(".")[2] == name[2:] if name.startswith("*.") else host == name
