"""A folder that was an archive of ours is never taken for a new one."""

from pathlib import Path

import msgspec
import pytest

from mediabox.clock import Clock
from mediabox.core.enrolment import archive_volume, outbox_volume
from mediabox.durable.volume import Volume
from mediabox.errors import Away, NeedsHuman
from mediabox.model.sidecar import COMPOSED_HEAD
from mediabox.store.database import Database


@pytest.fixture
async def database(tmp_path: Path):
    async with Database(tmp_path / "mediabox.db") as opened:
        yield opened


def month(root: Path) -> Path:
    folder = root / "2024" / "2024-05"
    folder.mkdir(parents=True)
    return folder


async def test_an_archive_without_marker_and_catalogue_is_to_be_rebuilt(tmp_path: Path, database: Database) -> None:
    (month(tmp_path / "archive") / "IMG_1.JPG.xmp").write_text(COMPOSED_HEAD + "...", encoding="utf-8")

    with pytest.raises(NeedsHuman, match="second time") as refused:
        await archive_volume(database, tmp_path / "archive", clock=Clock())

    assert refused.value.issue == "volume.uncatalogued"
    assert "mediabox rebuild" in str(refused.value.remedy)
    assert not (tmp_path / "archive" / ".mediabox").exists()


async def test_a_folder_with_other_peoples_sidecars_may_become_an_archive(tmp_path: Path, database: Database) -> None:
    (month(tmp_path / "archive") / "IMG_1.JPG.xmp").write_text("<x:xmpmeta/>", encoding="utf-8")

    volume = await archive_volume(database, tmp_path / "archive", clock=Clock())

    assert volume.exists(".mediabox/volume.json")
    volume.close()


async def test_an_outbox_is_enrolled_once_with_the_folders_above_it(tmp_path: Path, database: Database) -> None:
    root = tmp_path / "outbox" / "anna"

    volume = await outbox_volume(database, root, destination="anna", clock=Clock())
    volume.close()
    again = await outbox_volume(database, root, destination="anna", clock=Clock())

    assert again.identity == volume.identity
    again.close()
    with pytest.raises(NeedsHuman):  # ben's phone is not fed from anna's outbox
        Volume.open(root, expected=msgspec.structs.replace(again.identity, uuid="another"), name="outbox:ben")


async def test_an_outbox_on_an_absent_disk_is_away_and_its_bare_mount_point_stays_empty(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    for module in ("mediabox.durable.volume", "mediabox.core.enrolment"):
        monkeypatch.setattr(f"{module}.missing_mount", lambda root: disk)

    with pytest.raises(Away, match="fstab"):
        await outbox_volume(database, disk / "outbox" / "anna", destination="anna", clock=Clock())

    assert list(disk.iterdir()) == []
