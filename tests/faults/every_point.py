"""Every fault at every change a step makes to the disk: one process, forked for each case (milliseconds each).

    findings = every_point("durable.filing:Filing", tmp_path, faults=(Fault.KILL, Fault.EIO))

runs `python every_point.py` under the shim, which imports the scenario once. Each case:
`prepare` a new folder; `act` in a fork with the fault; `examine_broken`; `act` again in
a fork without; `examine_whole`. What the two examinations complain of comes back.
"""

import ctypes
import importlib
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from patience import PATIENCE_S

from faults.shim import Fault, built_shim, run_under_shim
from mediabox.errors import MediaboxError

ROOT = Path(__file__).resolve().parents[2]
_REFUSED = 3  # the act raised one of mediabox.errors: allowed under a fault
_BUG = 4


class Scenario(Protocol):
    """One step to be broken everywhere. No threads: it is forked."""

    def prepare(self, root: Path) -> None:
        """Lay out what is there before."""

    def act(self, root: Path) -> None:
        """Do the step, or do it again. May raise MediaboxError, never anything else."""

    def examine_broken(self, root: Path) -> list[str]:
        """What must not be seen even right after the fault."""

    def examine_whole(self, root: Path) -> list[str]:
        """What must hold after the step was repeated."""


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """`points` changes the undisturbed step makes, `cases` tried, `complaints` of all of them.

    `undisturbed_s` is how long the step takes, `recoveries_s` how long each repetition took after its fault; seconds.
    """

    points: int
    cases: int
    killed: int
    refused: int
    failed: int  # cases with a complaint
    complaints: tuple[str, ...]
    undisturbed_s: float
    recoveries_s: tuple[float, ...]


def every_point(
    scenario: str,
    folder: Path,
    *,
    faults: Sequence[Fault],
    sample: int = 0,
    seed: int = 0,
    timeout_s: float = PATIENCE_S,
) -> Findings:
    """Break `scenario` (`module:Class`, importable from tests/) at all its points with all `faults`.

    Where that takes too long, `sample` cases are drawn by `seed` instead.
    """
    drawn = (str(sample), str(seed))
    argv = [sys.executable, "-m", "faults.every_point", scenario, str(folder), str(built_shim()), *drawn, *faults]
    environment = {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    run = run_under_shim(argv, folder / "case", env=environment, timeout_s=timeout_s)
    if run.returncode:
        raise AssertionError(f"the enumeration itself failed:\n{run.stdout}{run.stderr}")
    return msgspec.json.decode(run.stdout.splitlines()[-1], type=Findings)


class _Enumeration:
    def __init__(self, scenario: Scenario, root: Path, library: Path) -> None:
        self._scenario = scenario
        self._root = root
        self._bug = root.with_suffix(".bug")  # beside the case: faults are for what is in it
        self._shim = ctypes.CDLL(str(library))
        self._shim.fault_count.restype = ctypes.c_uint64
        self._shim.fault_arm.argtypes = (ctypes.c_uint64, ctypes.c_char_p, ctypes.c_int)
        self.killed = self.refused = self.failed = self._points = 0
        self.undisturbed_s = 0.0
        self.recoveries_s: list[float] = []

    def count(self) -> tuple[int, list[str]]:
        """How many points the undisturbed step passes; its own complaints."""
        self._fresh()
        began = time.monotonic()
        status = self._fork_act(0, Fault.NONE)
        self.undisturbed_s = time.monotonic() - began
        points = self._points
        undisturbed = [] if status == 0 else [f"undisturbed: ended with {status}"]
        return points, undisturbed + [f"undisturbed: {found}" for found in self._scenario.examine_whole(self._root)]

    def case(self, at: int, fault: Fault) -> list[str]:
        self._fresh()
        status = self._fork_act(at, fault)
        self.killed += status == -signal.SIGKILL
        self.refused += status == _REFUSED
        complaints = list(self._scenario.examine_broken(self._root))
        if status == _BUG:
            complaints.append(f"something other than a MediaboxError escaped:\n{self._bug.read_text(encoding='utf-8')}")
        began = time.monotonic()
        if (again := self._fork_act(0, Fault.NONE)) != 0:
            complaints.append(f"repeating it ended with {again}")
        self.recoveries_s.append(time.monotonic() - began)
        complaints += self._scenario.examine_whole(self._root)
        self.failed += bool(complaints)
        return [f"{fault.name} at {at}: {complaint}" for complaint in complaints]

    def _fresh(self) -> None:
        self._shim.fault_arm(0, b"none", 0)
        shutil.rmtree(self._root, ignore_errors=True)
        self._root.mkdir(parents=True)
        self._scenario.prepare(self._root)

    def _fork_act(self, at: int, fault: Fault) -> int:
        self._shim.fault_arm(at, fault.value.encode(), 0)
        child = os.fork()
        if child == 0:
            os._exit(self._act())
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self._points = self._shim.fault_count()
        self._shim.fault_arm(0, b"none", 0)  # whoever examines may write too (SQLite does), and is not to be struck
        return status

    def _act(self) -> int:
        try:
            self._scenario.act(self._root)
        except MediaboxError:
            return _REFUSED
        except BaseException:  # noqa: BLE001 - the child of a fork must not return into the parent's code
            self._bug.write_text(traceback.format_exc(), encoding="utf-8")
            return _BUG
        return 0


def _enumerate(name: str, folder: str, library: str, sample: str, seed: str, *faults: str) -> Findings:
    module, _, scenario = name.partition(":")
    enumeration = _Enumeration(
        getattr(importlib.import_module(module), scenario)(), Path(folder, "case"), Path(library)
    )
    points, complaints = enumeration.count()
    cases = [(at, Fault(fault)) for fault in faults for at in range(1, points + 1)]
    if 0 < int(sample) < len(cases):
        cases = random.Random(int(seed)).sample(cases, int(sample))
    for at, fault in cases:
        complaints += enumeration.case(at, fault)
    counts = {"killed": enumeration.killed, "refused": enumeration.refused, "failed": enumeration.failed}
    return Findings(
        points=points,
        cases=len(cases),
        complaints=tuple(complaints),
        undisturbed_s=enumeration.undisturbed_s,
        recoveries_s=tuple(enumeration.recoveries_s),
        **counts,
    )


if __name__ == "__main__":
    print(msgspec.json.encode(_enumerate(*sys.argv[1:])).decode())
