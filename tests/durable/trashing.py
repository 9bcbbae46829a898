"""A file on its way to the trash and back, to be broken at every point."""

from pathlib import Path

from mediabox.durable.trash import in_trash, move
from mediabox.durable.volume import Volume

PHOTO = b"a photo" * 1000
PATH = "2024/05/IMG_0001.JPG"


class Trashing:
    """To the trash."""

    source, target = PATH, in_trash(PATH)

    def prepare(self, root: Path) -> None:
        with Volume.enroll(root, now_ms=1) as volume:
            volume.makedirs(self.source.rpartition("/")[0])
        (root / self.source).write_bytes(PHOTO)

    def act(self, root: Path) -> None:
        with Volume.enroll(root, now_ms=1) as volume:
            move(volume, self.source, self.target)

    def examine_broken(self, root: Path) -> list[str]:
        names = [root / self.source, root / self.target]
        there = [name for name in names if name.exists()]
        return [] if there and all(name.read_bytes() == PHOTO for name in there) else [f"lost: only {there}"]

    def examine_whole(self, root: Path) -> list[str]:
        found = self.examine_broken(root)
        return found + (["still at its old name"] if (root / self.source).exists() else [])


class Recovering(Trashing):
    """And back."""

    source, target = in_trash(PATH), PATH
