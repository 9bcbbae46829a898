"""Metadata: CPU per file, ours against ExifTool kept open, over the same files in the same run.

Usage: python tests/bench/metadata.py [FOLDER] [ROUNDS]. FOLDER is $MEDIABOX_SAMPLES or ../shared/samples.
Prints one JSON line; `ratio` is ours over theirs, and the bar is 1/20 at most.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from mediabox.contracts import ExamineRequest
from mediabox.model.asset import Kind
from mediabox.model.signature import kind_of_name
from mediabox.native.tags import Reader, preload, read_tags

ROOT = Path(__file__).resolve().parent.parent.parent
BAR = 1 / 20
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_FIELDS = ("-json", "-n")  # never -q: it would keep back the `{ready}` that ends an answer


def main() -> int:
    default = os.environ.get("MEDIABOX_SAMPLES", str(ROOT.parent / "shared" / "samples"))
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    program = shutil.which("exiftool")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and kind_of_name(path.name))
    if program is None or not files:
        print(json.dumps({"bench": "metadata", "skipped": "no exiftool, or no files"}))
        return 0
    preload()
    ours = statistics.median(our_cpu_ms(files) for _ in range(rounds))
    theirs = statistics.median(exiftool_cpu_ms(program, files) for _ in range(rounds))
    by_kind = {suffix: round(our_cpu_ms(group), 3) for suffix, group in by_suffix(files).items()}
    line = {
        "bench": "metadata",
        "files": len(files),
        "ours_ms": round(ours, 3),
        "exiftool_stay_open_ms": round(theirs, 3),
        "ratio": round(ours / theirs, 4),
        "bar": BAR,
        "ok": ours / theirs <= BAR,
        "ours_ms_by_suffix": by_kind,
    }
    print(json.dumps(line))
    return 0 if line["ok"] else 1


def our_cpu_ms(files: list[Path]) -> float:
    """Mean CPU per file, opening included."""
    start = time.process_time()
    for path in files:
        descriptor = os.open(path, os.O_RDONLY)
        read_tags(Reader(descriptor), ExamineRequest(name=path.name, kind=Kind.PICTURE, size_bytes=0))
        os.close(descriptor)
    return (time.process_time() - start) * 1000 / len(files)


def exiftool_cpu_ms(program: str, files: list[Path]) -> float:
    """Mean CPU per file of one ExifTool that stays open; its start and the loading of its modules are not counted."""
    with subprocess.Popen(
        [program, "-stay_open", "True", "-@", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        ask(process, files)  # loads what it needs
        start = cpu_seconds(process.pid)
        ask(process, files)
        spent = cpu_seconds(process.pid) - start
        process.stdin.write(b"-stay_open\nFalse\n")
        process.stdin.flush()
    return spent * 1000 / len(files)


def ask(process: subprocess.Popen[bytes], files: list[Path]) -> None:
    """Have every file read, one after the other."""
    for path in files:
        process.stdin.write("\n".join([*_FIELDS, str(path), "-execute\n"]).encode())
        process.stdin.flush()
        for line in process.stdout:
            if line.strip() == b"{ready}":
                break


def cpu_seconds(pid: int) -> float:
    """User and system time of a process (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND


def by_suffix(files: list[Path]) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(path.suffix.lower(), []).append(path)
    return dict(sorted(groups.items()))


if __name__ == "__main__":
    sys.exit(main())
