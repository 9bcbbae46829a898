"""Every change the box makes to its disk fails in four ways, and its power is cut; then it runs again.

Error rate: cases in which something was lost, doubled, half written, left over or wrongly reported, of all cases.
Recovery: how long the next run takes to its end, with what it has to do anyway, beside a run nobody disturbed.

BENCH_FAULT_CASES: cases drawn of each scenario, 0 for all (some 2,700 each: an hour in all). BENCH_POWER_CUTS: how many
power cuts each.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from table import Row

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from faults.every_point import every_point
from faults.mounts import tmpfs
from faults.shim import Fault
from whole.breaking import TABLE
from whole.examiner import write_table
from whole.family import FAMILY
from whole.power_cuts import cuts

CASES = int(os.environ.get("BENCH_FAULT_CASES", "0"))
CUTS = int(os.environ.get("BENCH_POWER_CUTS", "60"))
FAULTS = (Fault.KILL, Fault.TORN, Fault.ENOSPC, Fault.EIO)
SCENARIOS = {"TakingIn": "keep", "Moving": "move"}
LIMIT_S = 36_000


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, tmpfs(Path(folder, "ground"), size_bytes=512 << 20) as ground:
        facts = ground / "facts.json"
        write_table(facts, sorted(set(FAMILY.values())))
        os.environ[TABLE] = str(facts)
        return [*_broken(ground), *_cut(Path(folder))]


def _broken(ground: Path) -> list[Row]:
    rows = []
    for scenario, mode in SCENARIOS.items():
        found = every_point(
            f"whole.breaking:{scenario}", ground / scenario, faults=FAULTS, sample=CASES, seed=1, timeout_s=LIMIT_S
        )
        sys.stderr.write("\n".join(found.complaints))
        what = f'mode = "{mode}", {found.cases} faults at {found.points} changes'
        rows += _rows(what, found.cases, found.failed, found.recoveries_s, found.undisturbed_s)
    return rows


def _cut(folder: Path) -> list[Row]:
    rows = []
    for mode in SCENARIOS.values():
        all_cuts = list(cuts(CUTS, folder / mode, moves=mode == "move"))
        sys.stderr.write("\n".join(f"{cut.at}: {cut.complaints}" for cut in all_cuts if cut.complaints))
        failed = sum(bool(cut.complaints) for cut in all_cuts)
        what = f'mode = "{mode}", {len(all_cuts)} power cuts'
        rows += _rows(what, len(all_cuts), failed, [cut.recovery_s for cut in all_cuts], None)
    return rows


def _rows(what: str, cases: int, failed: int, recoveries_s: Sequence[float], undisturbed_s: float | None) -> list[Row]:
    median, longest = statistics.median(recoveries_s), max(recoveries_s)
    return [
        Row(what=f"{what}: error rate", unit="%", ours=100 * failed / cases, most=0),
        Row(what=f"{what}: recovery, median, beside a run without", unit="s", ours=median, theirs=undisturbed_s),
        Row(what=f"{what}: recovery, longest", unit="s", ours=longest),
    ]
