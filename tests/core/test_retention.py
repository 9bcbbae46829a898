"""Deletions at a mirrored source: to the archive's trash, back from it, and after 30 days removed. Never more."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from core.catalogue_of import DAY_MS, NOW_MS, Catalogued, ScriptedSource, live, original, photo, saying

from mediabox.clock import Clock
from mediabox.contracts import StepResult, Work
from mediabox.core import switches
from mediabox.core.archive import Archive
from mediabox.core.catalogue import describe
from mediabox.core.proofs import ArchiveProofs
from mediabox.core.retention import KEPT_DAYS, Retention
from mediabox.core.timeline import beat
from mediabox.core.verification import Verification
from mediabox.durable.publish import remove
from mediabox.durable.renditions import RenditionFolder
from mediabox.durable.spool import SpoolFolder
from mediabox.durable.trash import in_trash, move
from mediabox.durable.volume import Volume
from mediabox.errors import Away, NeedsHuman, Permanent
from mediabox.model.asset import RemoteAsset, RemoteChange, Resource, ResourceState, Turn
from mediabox.stages.trash import Recover, Trash
from mediabox.store import assets, copies, figures, jobs
from mediabox.store.database import Database

A, B = "Primary/A", "Primary/B"


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Volume]:
    with Volume.enroll(tmp_path / "archive", now_ms=1, reserve_percent=0) as volume:
        yield volume


@pytest.fixture
def box(database: Database) -> Catalogued:
    return Catalogued(database, mirroring=frozenset({"cloud"}))


class Trashing:
    """The box with an archive, and its trash's steps."""

    def __init__(self, box: Catalogued, cloud: ScriptedSource, volume: Volume) -> None:
        self.box, self.cloud, self.volume = box, cloud, volume
        self.retention = self._retention(box.mirroring)
        archive = Archive(volume, SpoolFolder(volume))
        self.proofs = ArchiveProofs(box.database, archive, box.clock)
        self._stages = {"trash": Trash(self.retention, archive), "recover": Recover(self.retention, archive)}

    def _retention(self, mirroring: frozenset[str]) -> Retention:
        return Retention(database=self.box.database, volume=self.volume, clock=self.box.clock, mirroring=mirroring)

    async def list(self, *assets_: RemoteAsset, **more: object) -> None:
        self.cloud.say(*assets_, **more)
        assert await self.box.intake.list_once(self.cloud) is not None

    async def turn(self, turn: Turn, *remote_ids: str) -> None:
        now_ms = self.box.clock.now_ms
        await self.list(changes=tuple(RemoteChange(remote_id=one, turn=turn, at_ms=now_ms) for one in remote_ids))

    async def archive(self, *remote_ids: str) -> None:
        """Files and their sidecar, as the stages leave them."""
        await self.box.archive(*remote_ids, volume=self.volume.identity.uuid)
        for remote_id in remote_ids:
            one = await self.box.file(remote_id)
            path = self.path(one.path)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(one.version.encode())
            path.chmod(0o444)
        await self.describe(await self.box.file(remote_ids[0]))

    async def describe(self, one: Resource) -> None:
        description = await self.box.ask(describe, one.asset_id)
        content = b"<sidecar/>"
        self.path(description.path).write_bytes(content)
        written = await Archive(self.volume, SpoolFolder(self.volume)).write(description.path, content)
        await self.box.database.write(lambda connection: copies.put_written(connection, written, one.asset_id, NOW_MS))

    def path(self, path: str | None) -> Path:
        return self.volume.root / str(path)

    def trashed(self, path: str | None) -> Path:
        return self.volume.root / ".mediabox/trash" / str(path)

    async def run(self, step: str) -> None:
        """Every job of the step."""
        for subject in await self.box.jobs(step):
            await self.commit(step, subject, await self.attempt(step, subject))

    async def attempt(self, step: str, subject: str) -> StepResult:
        return await self._stages[step].run(await self._work(step, subject))

    async def _work(self, step: str, subject: str) -> Work:
        due = await self.box.ask(lambda connection: jobs.due(connection, step, now_ms=NOW_MS * 2, limit=1000))
        return Work(job=next(job for job in due if job.subject == subject))

    async def commit(self, step: str, subject: str, outcome: StepResult) -> None:
        work = await self._work(step, subject)
        await self.box.database.write(lambda connection: self.box.committer.apply(connection, work, outcome))

    async def wait(self, ms: int) -> None:
        """The box runs for so long, and its daemon looked at the clocks before."""
        await self.box.database.write(lambda connection: beat(connection, self.box.clock))
        self.box.clock.now_ms += ms

    async def is_sound(self) -> bool:
        """`mediabox verify` finds nothing, and everything is accounted for."""
        report = await Verification(self.box.database, self.volume, self.box.clock).round()
        return report.is_clean and (await self.box.ask(figures.accounting)).is_balanced


@pytest.fixture
def trashing(box: Catalogued, cloud: ScriptedSource, volume: Volume) -> Trashing:
    return Trashing(box, cloud, volume)


@pytest.fixture
async def deleted(trashing: Trashing) -> Resource:
    """A Live Photo that was archived, and then deleted at its source; as it was in the archive."""
    await trashing.list(photo(A, original(A), live(A)))
    await trashing.archive(f"{A}/original", f"{A}/live")
    await trashing.turn(Turn.TRASHED, A)
    return await trashing.box.file(f"{A}/original")


async def test_a_deleted_photo_goes_to_the_trash_whole_and_counts_as_archived(trashing, deleted) -> None:
    await trashing.run("trash")

    clip = await trashing.box.file(f"{A}/live")
    assert [one.state for one in (await trashing.box.file(f"{A}/original"), clip)] == [ResourceState.TRASHED] * 2
    for path in (deleted.path, clip.path, f"{deleted.path}.xmp"):
        assert not trashing.path(path).exists()
        assert trashing.trashed(path).exists()
    accounting = await trashing.box.ask(figures.accounting)
    assert (accounting.archived, accounting.trashed, accounting.removed) == (2, 2, 0)
    assert await trashing.box.jobs("manifest") == ["2024"]
    assert await trashing.box.ask(copies.in_folder, "2024") == []
    assert await trashing.is_sound()


async def test_what_is_restored_comes_back_under_the_same_path(trashing, deleted) -> None:
    await trashing.run("trash")
    await trashing.turn(Turn.RESTORED, A)

    await trashing.run("recover")

    back = await trashing.box.file(f"{A}/original")
    assert (back.state, back.path) == (ResourceState.ARCHIVED, deleted.path)
    assert trashing.path(back.path).read_bytes() == b"v1"
    assert trashing.path(f"{back.path}.xmp").exists()
    assert not trashing.trashed(back.path).exists()
    assert await trashing.box.jobs("describe") == [str(back.asset_id)]
    assert [copy.path for copy in await trashing.box.ask(copies.of_resource, back.id)] == [back.path]


async def test_after_30_days_it_is_removed_with_a_row_and_purging_does_not_hurry_it(trashing, deleted) -> None:
    await trashing.run("trash")
    await trashing.turn(Turn.PURGED, A)
    await trashing.wait(KEPT_DAYS * DAY_MS)
    assert await trashing.retention.look() == 0
    trashing.box.clock.now_ms += 1

    assert await trashing.retention.look() == 1

    assert (await trashing.box.file(f"{A}/original")).state is ResourceState.REMOVED
    assert not [path for path in trashing.trashed("").rglob("*") if path.is_file()]
    accounting = await trashing.box.ask(figures.accounting)
    assert (accounting.archived, accounting.removed, accounting.is_balanced) == (0, 2, True)
    rows = await trashing.box.rows("SELECT count(*) FROM journal WHERE event = 'removed_from_trash'")
    assert rows == [(2,)]
    assert await trashing.is_sound()


async def test_what_comes_back_after_it_was_removed_is_fetched_anew(trashing, deleted) -> None:
    await trashing.run("trash")
    await trashing.wait((KEPT_DAYS + 1) * DAY_MS)
    await trashing.retention.look()

    await trashing.turn(Turn.RESTORED, A)

    assert len(await trashing.box.jobs("fetch")) == 2
    assert (await trashing.box.file(f"{A}/original")).state is ResourceState.SEEN


async def test_a_crash_between_the_move_and_its_row_is_mended_by_doing_it_again(trashing, deleted) -> None:
    subject = str(deleted.asset_id)
    await trashing.attempt("trash", subject)

    again = await trashing.attempt("trash", subject)
    await trashing.commit("trash", subject, again)

    assert trashing.trashed(deleted.path).exists()
    assert await trashing.is_sound()


async def test_a_crash_between_the_files_of_one_asset_is_mended_too(trashing, deleted) -> None:
    move(trashing.volume, deleted.path, in_trash(deleted.path))

    await trashing.run("trash")

    assert (await trashing.box.file(f"{A}/live")).state is ResourceState.TRASHED
    assert await trashing.is_sound()


async def test_a_crash_between_a_removal_and_its_row_is_mended_at_the_next_look(trashing, deleted) -> None:
    await trashing.run("trash")
    await trashing.wait((KEPT_DAYS + 1) * DAY_MS)
    remove(trashing.volume, in_trash(deleted.path))

    assert await trashing.retention.look() == 1

    assert (await trashing.box.file(f"{A}/original")).state is ResourceState.REMOVED
    assert await trashing.is_sound()


async def test_who_is_restored_while_it_is_removed_is_fetched_anew(trashing, deleted) -> None:
    await trashing.run("trash")
    await trashing.wait((KEPT_DAYS + 1) * DAY_MS)
    before_ms = trashing.box.clock.now_ms - KEPT_DAYS * DAY_MS
    await trashing.box.database.write(lambda connection: trashing.retention._condemn(connection, before_ms))
    await trashing.turn(Turn.RESTORED, A)

    await trashing.retention.look()

    assert len(await trashing.box.jobs("fetch")) == 2
    assert not list(trashing.trashed("").rglob("*.HEIC"))
    assert await trashing.box.rows("SELECT * FROM copy") == []


async def test_a_removed_pictures_previews_go_with_it(trashing, deleted, tmp_path: Path) -> None:
    renditions = RenditionFolder(tmp_path / "renditions")
    renditions.put(deleted.digest, "thumb.webp", b"small")
    await trashing.run("trash")
    await trashing.wait((KEPT_DAYS + 1) * DAY_MS)

    await Retention(
        database=trashing.box.database,
        volume=trashing.volume,
        clock=trashing.box.clock,
        mirroring=trashing.box.mirroring,
        renditions=renditions,
    ).look()

    assert renditions.path(deleted.digest, "thumb.webp") is None


async def test_whoever_changes_their_mind_while_it_is_moved_has_it_back(trashing, deleted) -> None:
    outcome = await trashing.attempt("trash", str(deleted.asset_id))
    await trashing.turn(Turn.RESTORED, A)
    await trashing.commit("trash", str(deleted.asset_id), outcome)

    await trashing.run("recover")

    assert trashing.path(deleted.path).exists()


async def test_a_photo_restored_before_its_turn_stays(trashing, deleted) -> None:
    await trashing.turn(Turn.RESTORED, A)

    await trashing.run("trash")

    assert trashing.path(deleted.path).exists()
    assert await trashing.box.jobs("trash") == []


async def test_bytes_that_another_source_has_too_stay(trashing) -> None:
    """A folder's file of the same bytes counts on the archived one."""
    await trashing.list(photo(A))
    await trashing.archive(f"{A}/original")
    folder = ScriptedSource("pictures")
    folder.say(RemoteAsset(remote_id="t/a.jpg", resources=(original("t", name="a.jpg"),)))
    await trashing.box.intake.list_once(folder)
    kept, twin = await trashing.box.file(f"{A}/original"), await trashing.box.file("t/original")
    await trashing.box.database.write(
        lambda connection: assets.set_duplicate(connection, twin.id, of=kept.id, digest=kept.digest, size_bytes=2)
    )

    await trashing.turn(Turn.TRASHED, A)

    assert await trashing.box.jobs("trash") == []
    assert trashing.path(kept.path).exists()


async def test_of_two_assets_with_the_same_bytes_the_last_takes_them_along(trashing) -> None:
    await trashing.list(photo(A), photo(B, said=saying(caption="the phone's duplicate")))
    await trashing.archive(f"{A}/original")
    await trashing.list(photo("Primary/C", said=saying(caption="another")))  # kept by A's bytes, without a fetch

    for one in (A, B):
        await trashing.turn(Turn.TRASHED, one)
        assert await trashing.box.jobs("trash") == []
    await trashing.turn(Turn.TRASHED, "Primary/C")

    kept = await trashing.box.file(f"{A}/original")
    assert str(kept.asset_id) in await trashing.box.jobs("trash")


async def test_bytes_in_the_trash_come_back_when_the_source_brings_them_again(trashing) -> None:
    await trashing.list(photo(A))
    await trashing.archive(f"{A}/original")
    await trashing.turn(Turn.TRASHED, A)
    await trashing.run("trash")

    await trashing.list(photo(B))

    kept = await trashing.box.file(f"{A}/original")
    assert await trashing.box.jobs("fetch") == []
    assert await trashing.box.jobs("recover") == [str(kept.asset_id)]


async def test_nothing_is_freed_on_the_word_of_what_lies_in_the_trash(trashing, deleted) -> None:
    await trashing.run("trash")
    twin = msgspec.structs.replace(deleted, duplicate_of=deleted.id, digest=deleted.digest)

    with pytest.raises(Permanent, match="no verified copy"):
        await trashing.proofs.prove(twin)


async def test_many_deletions_at_once_are_asked_about_and_nothing_moves(trashing) -> None:
    names = [f"Primary/{number}" for number in range(21)]
    many = [photo(one, original(one, version=one), said=saying(content_id=one)) for one in names]
    await trashing.list(*many)
    for one in names:
        await trashing.archive(f"{one}/original")
    await trashing.turn(Turn.TRASHED, *names)
    first = (await trashing.box.jobs("trash"))[0]

    with pytest.raises(NeedsHuman, match="21 photos were deleted in cloud") as asked:
        await trashing.attempt("trash", first)
    assert asked.value.issue == "source.mass_deletion"
    assert not trashing.trashed("").exists()

    await trashing.box.database.write(
        lambda connection: switches.allow_deletions(connection, now_ms=trashing.box.clock.now_ms)
    )
    await trashing.run("trash")
    assert len(list(trashing.trashed("").rglob("*.HEIC"))) == 21


async def test_few_by_few_are_many_as_well(trashing) -> None:
    names = [f"Primary/{number}" for number in range(22)]
    await trashing.list(*[photo(one, original(one, version=one), said=saying(content_id=one)) for one in names])
    for one in names:
        await trashing.archive(f"{one}/original")
    await trashing.turn(Turn.TRASHED, *names[:20])
    await trashing.run("trash")
    await trashing.turn(Turn.TRASHED, names[20])

    with pytest.raises(NeedsHuman):
        await trashing.run("trash")
    trashing.box.clock.now_ms += DAY_MS + 1
    await trashing.run("trash")

    assert await trashing.box.jobs("trash") == []


async def test_nothing_moves_by_a_clock_that_is_not_to_be_believed(trashing, deleted) -> None:
    trashing.box.clock.witness(trashing.box.clock.now_ms + 1)

    with pytest.raises(NeedsHuman, match="clock"):
        await trashing.run("trash")
    assert await trashing.retention.look() == 0


@pytest.mark.parametrize("was_restarted", [False, True])
async def test_a_clock_that_was_set_forwards_ends_no_time_in_the_trash(
    trashing, deleted, was_restarted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await trashing.run("trash")
    await trashing.wait(DAY_MS)
    clock = trashing.box.clock
    ran_ms = DAY_MS if was_restarted else clock.now_ms
    clock.now_ms += (KEPT_DAYS + 1) * DAY_MS
    monkeypatch.setattr(clock, "running_ms", lambda: ran_ms)
    monkeypatch.setattr(clock, "boot", lambda: "another" if was_restarted else Clock().boot())
    monkeypatch.setattr(clock, "is_synchronised", lambda: False)

    assert await trashing.retention.look() == 0
    assert trashing.trashed(deleted.path).exists()


async def test_a_volume_that_is_away_makes_it_wait(trashing, deleted, tmp_path: Path) -> None:
    trashing.volume.root.rename(tmp_path / "unplugged")

    with pytest.raises(Away):
        await trashing.run("trash")

    (tmp_path / "unplugged").rename(trashing.volume.root)
    await trashing.run("trash")
    assert trashing.trashed(deleted.path).exists()


async def test_an_owner_who_no_longer_mirrors_has_everything_back(trashing, deleted) -> None:
    await trashing.run("trash")
    keeping = Trashing(Catalogued(trashing.box.database), trashing.cloud, trashing.volume)
    keeping.box.clock.now_ms = trashing.box.clock.now_ms + (KEPT_DAYS + 1) * DAY_MS

    assert await keeping.retention.look() == 0
    await keeping.run("recover")

    assert trashing.path(deleted.path).exists()


async def test_a_strangers_file_at_the_path_is_left_alone_and_ours_stays_in_the_trash(trashing, deleted) -> None:
    await trashing.run("trash")
    trashing.path(deleted.path).write_bytes(b"a stranger's")
    await trashing.turn(Turn.RESTORED, A)

    with pytest.raises(Permanent, match="exists already"):
        await trashing.run("recover")

    assert trashing.path(deleted.path).read_bytes() == b"a stranger's"
    assert trashing.trashed(deleted.path).read_bytes() == b"v1"


async def test_an_asset_with_a_file_still_to_come_waits_for_it(trashing) -> None:
    await trashing.list(photo(A, original(A), live(A)))
    await trashing.archive(f"{A}/original")

    await trashing.turn(Turn.TRASHED, A)

    assert await trashing.box.jobs("trash") == []
