"""Every kind of file there is, through the real daemon and a phone, in the form Google Photos takes."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from mediabox.simulate.pixel.syncthing_process import is_installed
from whole.box import Household
from whole.delivering import Road, until

pytestmark = pytest.mark.skipif(not is_installed(), reason="syncthing is not installed")


@pytest.fixture
def each_kind(is_full: bool) -> None:
    if not is_full:
        pytest.skip("a minute: with --full-faults")


@pytest.mark.usefixtures("each_kind")
async def test_every_kind_arrives_once_in_the_form_it_can_be_taken_in(
    box: Household, tmp_path: Path, media: Path
) -> None:
    library = media / "library"
    box.found({str(path.relative_to(library)): path for path in library.rglob("*") if path.is_file()})
    async with Road(box, tmp_path, window_bytes=300_000_000, seed=1) as road:
        road.start_daemon()

        async def live() -> None:
            await road.phone.tick(60.0)
            await road.phone.scan()
            await road.phone.back_up()
            states = road.states()
            if states["stored"] and not states["queued"] + states["admitted"] + states["accepted"]:
                await road.phone.free_up()

        def is_done() -> bool:
            states = road.states()
            return states.total() > 70 and states["freed"] == states.total()

        assert await until(is_done, live, stretches=2000), (road.states(), road.doubts())

        forms = Counter(dict(road._ask("SELECT form, count(*) FROM delivery GROUP BY form")))
        assert forms.keys() == {"original", "tagged", "motion", "converted"}
        assert forms["motion"] == 2  # a HEIC's clip, and a JPEG's
        assert road.arrived() == Counter(digest for (digest,) in road._ask("SELECT digest FROM delivery"))
        assert not [backup.name for backup in road.phone.backups() if backup.is_again]
        copies = dict(road._ask("SELECT evidence, count(*) FROM copy GROUP BY evidence"))
        assert copies["F"] == forms.total() - forms["converted"] + forms["motion"]  # the clips' too
        said = await asyncio.to_thread(road.stop_daemon)
        assert "Traceback" not in said
