"""A photo costs the same whether a thousand or a hundred thousand are there already.

What a photo costs is the difference between a run over many and a run over few: the start, which reads the hashes of
all look-alikes once, is in both.
"""

import shutil
import statistics
from pathlib import Path

import ground
import measure
from prefill import prefill
from table import Row

FEW, MANY = 20, 140
SMALL, LARGE = 1_000, 100_000


def prepared(count: int) -> Path:
    """A home folder with `count` photos in its catalogue, one of them real."""
    home = ground.RUNS / f"home-{count}"
    first = ground.linked(ground.corpus("jpeg", MANY + 1)[MANY:], "pictures")
    measure.paired([ground.ours(first, home, items=1)], 1)
    prefill(home, count)
    return home


def cost(template: Path, pictures: Path, items: int) -> measure.Command:
    """One run over the pictures, on a fresh copy of the prepared home."""
    home = ground.RUNS / "home"
    command = ground.ours(pictures, home, items=items, clean=False, name=template.name)

    def before() -> None:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(template, home, symlinks=True)
        ground.rest(pictures)

    return measure.Command(name=command.name, argv=command.argv, items=items, before=before, after=command.after)


def run() -> list[Row]:
    homes = [prepared(count) for count in (SMALL, LARGE)]
    kept = ground.corpus("jpeg", MANY + 1)[MANY:]
    folders = {
        count: ground.linked([*ground.corpus("jpeg", count), *kept], f"pictures-{count}") for count in (0, FEW, MANY)
    }
    commands = [cost(home, folder, max(count, 1)) for count, folder in folders.items() for home in homes]
    seen = [[one.cpu_s for one in measures] for measures in measure.paired(commands, ground.PAIRS)]
    nothing, few, many = seen[:2], seen[2:4], seen[4:]
    small, large = (
        statistics.median((high - low) / (MANY - FEW) * 1000 for low, high in zip(*runs, strict=True))
        for runs in zip(few, many, strict=True)
    )
    start_small, start_large = map(statistics.median, nothing)
    return [
        Row(what=f"CPU a photo with {LARGE:,} there, against {SMALL:,}", unit="ms", ours=large, theirs=small,
            least_ratio=0.97),
        Row(what=f"start and end with {LARGE:,} there, against {SMALL:,}, CPU", unit="s", ours=start_large,
            theirs=start_small),
    ]  # fmt: skip
