"""Where the parts of this iCloud are. Apple has a host for each; here they are paths and a second port."""

from __future__ import annotations


class Hosts:
    """Addresses, known once the server listens. No slash at the end."""

    def __init__(self, *, name: str = "127.0.0.1", region: str = "") -> None:
        self.name = name
        self.region = region  # "" or ".cn": which of the two iClouds this is
        self.port = 0
        self.content_port = 0
        self.partition = 61  # the NN of pNN-ckdatabasews

    @property
    def home(self) -> str:
        return f"https://{self.name}:{self.port}"

    @property
    def auth(self) -> str:
        return f"{self.home}/appleauth/auth"

    @property
    def setup(self) -> str:
        return f"{self.home}/setup/ws/1"

    @property
    def database(self) -> str:
        """ckdatabasews: its partition can change from one sign-in to the next."""
        return f"{self.home}/p{self.partition}-ckdatabasews"

    @property
    def upload(self) -> str:
        return f"{self.home}/p{self.partition}-uploadimagews"

    @property
    def content(self) -> str:
        """cvws.icloud-content.com: a server of its own."""
        return f"https://{self.name}:{self.content_port}"
