"""The benches' own code: corpus, measuring and table on a few tiny pictures. Nothing here judges a speed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PIL import Image

BENCH = Path(__file__).resolve().parent / "bench"


@pytest.fixture(autouse=True)
def bench_modules() -> Iterator[None]:
    """The benches' modules are scripts beside each other; they are forgotten afterwards."""
    sys.path.insert(0, str(BENCH))
    before = set(sys.modules)
    yield
    sys.path.remove(str(BENCH))
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and Path(sys.modules[name].__file__).parent == BENCH:
            del sys.modules[name]


@pytest.fixture
def tiny_corpus(media: Path, tmp_path: Path) -> Path:
    """Two pictures of 640 × 480 with their look-alikes, cut from our own small media."""
    out = tmp_path / "corpus"
    command = [sys.executable, str(BENCH / "corpus.py"), "--photos", str(media / "library"), "--out", str(out)]
    amounts = ["--jpeg", "2", "--near", "5", "--exact", "1", "--heic", "0", "--clips", "0"]
    subprocess.run([*command, *amounts, "--size", "640x480", "--least-megapixels", "0.2"], check=True)
    return out


def test_the_corpus_has_cameras_look_alikes_and_a_list_of_them(tiny_corpus: Path) -> None:
    truth = json.loads((tiny_corpus / "truth.json").read_text())
    picture = Image.open(tiny_corpus / "jpeg" / "IMG_0000.JPG")

    assert picture.size == (640, 480)
    assert picture.getexif().get(0x0110)
    assert [kind for _, _, kind in truth["pairs"]] == [
        "recompressed", "half_size", "cropped", "brighter", "messenger", "exact"
    ]  # fmt: skip
    for copy, original, kind in truth["pairs"]:
        assert (tiny_corpus / ("exact" if kind == "exact" else "near") / copy).exists()
        assert (tiny_corpus / "jpeg" / original).exists()


def test_a_varied_picture_has_the_same_pixels_and_other_bytes(tiny_corpus: Path, tmp_path: Path) -> None:
    import corpus

    original, other = tiny_corpus / "jpeg" / "IMG_0000.JPG", tmp_path / "other.jpg"
    corpus.vary(original, other, 7)

    assert other.read_bytes() != original.read_bytes()
    assert Image.open(other).tobytes() == Image.open(original).tobytes()


def test_the_bare_kernels_run(tiny_corpus: Path, tmp_path: Path) -> None:
    files = [str(path) for path in sorted((tiny_corpus / "jpeg").iterdir())]
    command = [sys.executable, str(BENCH / "peers" / "limit.py"), str(tmp_path / "out"), *files]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    assert answer["items"] == 2
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_our_own_look_alikes_are_scored_against_the_list(tiny_corpus: Path, tmp_path: Path) -> None:
    import bench_near_duplicates as bench
    import msgspec

    folder = tmp_path / "all"
    folder.mkdir()
    for part in ("jpeg", "near", "exact"):
        for path in (tiny_corpus / part).iterdir():
            path.rename(folder / path.name)
    command = [sys.executable, str(BENCH / "alike.py"), str(folder), "6"]
    pairs = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["pairs"]
    truth = msgspec.json.decode((tiny_corpus / "truth.json").read_bytes(), type=bench.Truth)

    assert bench.score(truth, pairs).found >= 5
    assert bench.score(truth, [("IMG_0000.JPG", "IMG_0001.JPG")]) == bench.Score(0, 1)


MEASURED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import measure, msgspec
child = "x = bytearray(40_000_000); sum(range(3_000_000))"
orphan = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}])"
commands = [measure.Command(name="a", argv=(sys.executable, "-c", code), items=2) for code in ("pass", orphan)]
print(json.dumps(msgspec.to_builtins(measure.paired(commands, 1))))
"""


def test_measuring_counts_what_a_command_left_behind() -> None:
    # In a process of its own: it becomes the parent of orphans.
    done = subprocess.run([sys.executable, "-c", MEASURED, str(BENCH)], capture_output=True, check=True)
    (nothing,), (orphan,) = json.loads(done.stdout)

    assert orphan["cpu_s"] > nothing["cpu_s"]
    assert orphan["status"] == 0


def test_a_command_that_fails_is_no_measure() -> None:
    import measure

    with pytest.raises(RuntimeError, match="ended with 3"):
        measure.paired([measure.Command(name="bad", argv=(sys.executable, "-c", "raise SystemExit(3)"))], 1)


def test_the_table_says_whether_a_bar_is_met() -> None:
    from table import Row, markdown

    rows = [
        Row(what="CPU", unit="ms", ours=50, theirs=200, least_ratio=3, spread=(3.5, 4.5), note="quiet"),
        Row(what="memory", unit="MiB", ours=141.2, most=140),
        Row(what="found", unit="", ours=79, least=78),
        Row(what="told", unit="s", ours=0.1234),
    ]

    assert markdown(rows).splitlines()[2:] == [
        "| CPU [1] | 50 ms | 200 ms | 4 × (3.50–4.50) | ≥ 3 × | yes |",
        "| memory | 141 MiB |  |  | ≤ 140 MiB | **no** |",
        "| found | 79  |  |  | ≥ 78 | yes |",
        "| told | 0.123 s |  |  |  |  |",
        "",
        "[1] quiet",
    ]


def test_the_table_takes_its_place_in_the_readme_and_nothing_else() -> None:
    from table import BEGIN, END, between_marks

    once = between_marks(f"before\n{BEGIN}\nold\n{END}\nafter\n", "| new |\n")

    assert once == f"before\n{BEGIN}\n\n| new |\n\n{END}\nafter\n"
    assert between_marks(once, "| new |\n") == once
    with pytest.raises(ValueError, match="marks"):
        between_marks("no marks", "| new |\n")
    assert between_marks((BENCH.parent.parent / "README.md").read_text(), "| new |")


def test_the_readme_shows_the_headlines_and_counts_the_bars() -> None:
    import results
    from table import Row

    reached = [Row(what=what, unit="s", ours=1, most=2, note="not here") for what in results.HEADLINES]
    others = [Row(what="slow", unit="s", ours=3, most=2), Row(what="no bar", unit="s", ours=3)]
    kept = msgspec.json.decode(results.KEPT.read_bytes(), type=dict[str, results.Found])

    shown = results.summary({"one": results.Found(at="today", machine="here", rows=[*reached, *others])})

    assert [line.split("|")[1].strip() for line in shown.splitlines() if line.startswith("|")][2:] == [
        *results.HEADLINES
    ]
    assert f"{len(reached)} of {len(reached) + 1} bars are reached. Missed: slow. today; here." in shown
    assert "not here" not in shown
    assert set(results.HEADLINES) <= {row.what for one in kept.values() for row in one.rows}


def test_every_bench_is_listed() -> None:
    listed = subprocess.run([sys.executable, str(BENCH / "results.py"), "--list"], capture_output=True, check=True)

    assert {"main_job_jpeg", "main_job_heic", "limit", "memory", "idle"} <= set(listed.stdout.decode().split())
