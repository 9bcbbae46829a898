"""A photo costs the same whether a thousand or a hundred thousand are there already."""

import shutil
import statistics
from pathlib import Path

import ground
import measure
from prefill import prefill
from table import Row

FILES = 60
SMALL, LARGE = 1_000, 100_000


def prepared(count: int) -> Path:
    """A home folder with `count` photos in its catalogue, one of them real."""
    home = ground.RUNS / f"home-{count}"
    first = ground.linked(ground.corpus("jpeg", FILES + 1)[FILES:], "pictures")
    measure.paired([ground.ours(first, home, items=1)], 1)
    prefill(home, count)
    return home


def cost(template: Path, pictures: Path) -> measure.Command:
    """One run over the pictures, on a fresh copy of the prepared home."""
    home = ground.RUNS / "home"
    command = ground.ours(pictures, home, items=FILES, clean=False, name=template.name)

    def before() -> None:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(template, home, symlinks=True)
        ground.rest(pictures)

    return measure.Command(name=command.name, argv=command.argv, items=FILES, before=before, after=command.after)


def run() -> list[Row]:
    homes = [prepared(count) for count in (SMALL, LARGE)]
    kept = ground.corpus("jpeg", FILES + 1)[FILES:]
    work = ground.linked([*ground.corpus("jpeg", FILES), *kept], "pictures")
    nothing = ground.linked(kept, "pictures-known")
    commands = [cost(home, pictures) for pictures in (work, nothing) for home in homes]
    seen = [[one.cpu_s for one in measures] for measures in measure.paired(commands, max(ground.PAIRS, 5))]
    small, large, idle_small, idle_large = (statistics.median(values) for values in seen)
    a_file = [(busy - idle) / FILES * 1000 for busy, idle in ((small, idle_small), (large, idle_large))]
    return [
        Row(what=f"CPU a photo with {LARGE:,} there, against {SMALL:,}", unit="ms", ours=a_file[1], theirs=a_file[0],
            least_ratio=0.97),
        Row(what=f"start and end with {LARGE:,} there, against {SMALL:,}, CPU", unit="s", ours=idle_large,
            theirs=idle_small),
    ]  # fmt: skip
