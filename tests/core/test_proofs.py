"""What has to hold before a source's own file is removed."""

from pathlib import Path

import pytest

from mediabox.clock import Clock
from mediabox.core.proofs import ArchiveProofs
from mediabox.errors import Permanent
from mediabox.model.asset import Kind, RemoteResource, Resource
from mediabox.model.ledger import Copy, Evidence
from mediabox.store import assets, copies, journal, listings
from mediabox.store.database import Database

TRUE, FALSE = "a" * 64, "b" * 64


class WholeShelf:
    """Obeys `proofs.Shelf`: the bytes are what the catalogue says."""

    async def confirm(self, copy: Copy) -> None:
        return None


@pytest.mark.parametrize("digest", [TRUE, FALSE])
async def test_a_digest_the_journal_does_not_know_removes_nothing(tmp_path: Path, digest: str) -> None:
    """File, `resource.digest`, `copy.digest` and its hash agree; the journal has what was really fetched."""
    remote = RemoteResource(remote_id="t/a.jpg", version="1", name="a.jpg", kind=Kind.PICTURE, size_bytes=10)

    def file(connection) -> Resource | None:
        source, asset = listings.source_id(connection, "pictures"), assets.add_asset(connection)
        one = assets.add_resource(connection, asset, source, remote, stem="a", at_ms=1)
        journal.append(connection, "fetched", at_ms=1, resource_id=one, sha256=TRUE)
        assets.set_staged(connection, one, digest=digest, size_bytes=10)
        assets.reserve(connection, one, "a.jpg", None)
        assets.set_archived(connection, one, 1)
        copy = {"path": "a.jpg", "size_bytes": 10, "evidence": Evidence.REREAD, "proved_at_ms": 1}
        copies.put(connection, Copy(resource_id=one, volume="v", digest=digest, **copy))
        return assets.resource(connection, one)

    async with Database(tmp_path / "mediabox.db") as database:
        resource = await database.write(file)
        proofs = ArchiveProofs(database, WholeShelf(), Clock())
        if digest == TRUE:
            await proofs.prove(resource)
        else:
            with pytest.raises(Permanent, match="another SHA-256"):
                await proofs.prove(resource)
