"""Run benches, write RESULTS.md beside this file and the README's table; `tests/bench/run` starts it.

    tests/bench/run [NAME...]        all of bench_*.py, or those named (main_job_jpeg, limit, ...)
    tests/bench/run long_faults      long_*.py: hours each, only when named
    tests/bench/run --list

Run `tests/bench/setup` once before. Each bench runs in a process of its own, so that one
that fails or leaks does not touch the next; it ends with its rows as JSON. Results of
benches not named are kept, with their date.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from table import Row, between_marks, machine_line, markdown

HERE = Path(__file__).resolve().parent
INTRODUCTION = """# Measured

Made by `tests/bench/run`; what each line means is in `bench_<name>.py`. Ratios are theirs ÷ ours, the median of runs in
turn (lowest and highest pair in brackets); only figures of one run compare.
"""
KEPT = HERE / "results.json"
README = HERE.parent.parent / "README.md"
HEADLINES = (  # what the README shows of it
    "JPEG, CPU a file, against Immich",
    "HEIC, CPU a file, against Immich",
    "video, CPU a file, against Immich",
    "JPEG, memory, against Immich",
    "JPEG, CPU a file, against PhotoPrism",
    "mediabox with 4 streams, time a file, against icloudpd",
    "look-alikes, CPU a file, against czkawka",
    "idle memory, all processes (PSS)",
    "idle CPU of one core",
    'mode = "move", 60 power cuts: error rate',
)
ONE = (
    "import importlib, sys, msgspec; sys.path.insert(0, sys.argv[1]);"
    "rows = importlib.import_module(sys.argv[2]).run();"
    "print(msgspec.json.encode(rows).decode())"
)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one bench, and when and where they were measured."""

    at: str
    machine: str
    rows: list[Row]


def names() -> list[str]:
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def long_names() -> list[str]:
    return sorted(path.stem for path in HERE.glob("long_*.py"))


def module_of(name: str) -> str:
    return name if name.startswith("long_") else f"bench_{name}"


def run_one(name: str) -> Found | None:
    print(f"{name} ...", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-c", ONE, str(HERE), module_of(name)], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        print(f"{name} failed", file=sys.stderr)
        return None
    rows = msgspec.json.decode(done.stdout.splitlines()[-1], type=list[Row])
    print(markdown(rows), flush=True)
    at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Found(at=at, machine=machine_line(), rows=rows)


def document(found: dict[str, Found]) -> str:
    parts = [INTRODUCTION]
    for name, one in found.items():
        title = name.replace("_", " ")
        parts.append(f"## {title}\n\n{markdown(one.rows)}\n{one.at}; {one.machine}.\n")
    return "\n".join(parts)


def summary(found: dict[str, Found]) -> str:
    """For the README: the headlines, without notes, and how many of all bars are reached."""
    rows = [msgspec.structs.replace(row, note="") for one in found.values() for row in one.rows]
    missed = [row.what for row in rows if row.met is False]
    bars = sum(row.met is not None for row in rows)
    latest = max(found.values(), key=lambda one: one.at)
    shown = markdown(sorted((row for row in rows if row.what in HEADLINES), key=lambda row: HEADLINES.index(row.what)))
    reached = f"{bars - len(missed)} of {bars} bars are reached."
    if missed:
        reached += f" Missed: {'; '.join(missed)}."
    return f"{shown}\n{reached} {latest.at}; {latest.machine}.\n"


def write(found: dict[str, Found]) -> None:
    """What is kept, what is read, and what the README shows of it."""
    KEPT.write_text(json.dumps(msgspec.to_builtins(found), indent=1) + "\n")
    (HERE / "RESULTS.md").write_text(document(found))
    README.write_text(between_marks(README.read_text(), summary(found)))


def main(wanted: list[str]) -> int:
    if "--list" in wanted:
        print("\n".join(names() + long_names()))
        return 0
    known = names() + long_names()
    if unknown := [name for name in wanted if name not in known]:
        print(f"no bench {', '.join(unknown)}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    found = msgspec.json.decode(KEPT.read_bytes(), type=dict[str, Found]) if KEPT.exists() else {}
    failed = False
    for name in wanted or names():
        one = run_one(name)
        failed = failed or one is None
        if one:
            found[name] = one
            found = dict(sorted(found.items()))
            write(found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
