"""What a bench found, and the table people read."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison. `theirs` is a peer's figure, or our own under the other condition; `None` where there is none.

    A bar is on the ratio theirs/ours when `least_ratio` is set, else on our own figure.
    `spread` is the lowest and highest ratio of the single pairs. `note` goes under the table.
    """

    what: str
    unit: str
    ours: float
    theirs: float | None = None
    least_ratio: float | None = None
    least: float | None = None
    most: float | None = None
    spread: tuple[float, float] | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.theirs / self.ours if self.theirs is not None and self.ours else None

    @property
    def bar(self) -> str:
        if self.least_ratio is not None:
            return f"≥ {figure(self.least_ratio)} ×"
        if self.most is not None:
            return f"≤ {figure(self.most)} {self.unit}".strip()
        return f"≥ {figure(self.least)} {self.unit}".strip() if self.least is not None else ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is reached; `None` without a bar."""
        if self.least_ratio is not None:
            return self.ratio is not None and self.ratio >= self.least_ratio
        if self.most is not None:
            return self.ours <= self.most
        return self.ours >= self.least if self.least is not None else None


def figure(value: float) -> str:
    """Three significant digits, no exponent."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def markdown(rows: Iterable[Row]) -> str:
    lines = ["| what | ours | theirs | ratio | bar | met |", "| --- | ---: | ---: | ---: | ---: | :---: |"]
    notes: list[str] = []
    for row in rows:
        ratio = "" if row.ratio is None else f"{figure(row.ratio)} ×"
        if row.spread:
            ratio += f" ({figure(row.spread[0])}–{figure(row.spread[1])})"
        theirs = "" if row.theirs is None else f"{figure(row.theirs)} {row.unit}".strip()
        met = {True: "yes", False: "**no**", None: ""}[row.met]
        what = row.what
        if row.note:
            if row.note not in notes:
                notes.append(row.note)
            what += f" [{notes.index(row.note) + 1}]"
        lines.append(f"| {what} | {figure(row.ours)} {row.unit} | {theirs} | {ratio} | {row.bar} | {met} |")
    return "\n".join(lines) + "\n" + "".join(f"\n[{number}] {note}\n" for number, note in enumerate(notes, 1))


BEGIN, END = "<!-- measured: tests/bench/run writes what follows -->", "<!-- measured: end -->"


def between_marks(text: str, content: str) -> str:
    """`text` with `content` between its two marks. Raises ValueError when a mark is missing."""
    before, found, rest = text.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not found or not found_end:
        message = "the marks of the measured table are not there"
        raise ValueError(message)
    return f"{before}{BEGIN}\n\n{content}\n{END}{after}"


def machine_line() -> str:
    """The processor, cores, memory and system the figures come from, and how busy it was."""
    processor = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            processor = line.partition(":")[2].strip()
            break
    memory_gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    load = os.getloadavg()[0]
    return (
        f"{processor}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}; load {load:.1f} at the end"
    )
