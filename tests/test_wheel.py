"""What `pip install` would bring: the program with its data, without the stand-ins for the world."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version
from patience import PATIENCE_S

ROOT = Path(__file__).parents[1]
# An environment made by `pip install --editable` would find in the checkout what the wheel lacks.
START = """import sys
sys.meta_path = [finder for finder in sys.meta_path if "_EditableFinder" not in repr(finder)]
from mediabox.__main__ import main
sys.exit(main())"""
BUILD = "import sys; from setuptools import build_meta; print(build_meta.build_wheel(sys.argv[1]))"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel's files, built without network from a copy of the tree."""
    setuptools = pytest.importorskip("setuptools")
    if Version(setuptools.__version__) < Version("70.1"):
        pytest.skip("setuptools here is too old to make a wheel by itself")
    tree, wheels = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheels")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, tree)
    shutil.copytree(ROOT / "mediabox", tree / "mediabox", ignore=shutil.ignore_patterns("__pycache__"))
    argv = [sys.executable, "-c", BUILD, str(wheels)]
    done = subprocess.run(argv, cwd=tree, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = wheels.glob("mediabox-*.whl")
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    return site


def program(installed: Path, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-P", "-c", START, *words]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    return subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )


def test_everything_is_in_it_but_the_stand_ins(installed: Path) -> None:
    tracked = {path.relative_to(ROOT) for path in (ROOT / "mediabox").rglob("*") if path.is_file()}
    wanted = {str(path) for path in tracked if path.suffix in {".py", ".sql", ".md", ".toml", ".tsv", ".po"}}

    packed = {str(path.relative_to(installed)) for path in (installed / "mediabox").rglob("*") if path.is_file()}

    assert packed == {path for path in wanted if not path.startswith("mediabox/simulate/")}


@pytest.mark.parametrize(
    "words", [("simulate", "icloud", "."), ("run", "--once", "--simulated-pixel", "--pictures", ".", "--home", "home")]
)
def test_an_installation_says_that_it_has_no_stand_ins(installed: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = program(installed, *words, cwd=tmp_path)

    assert done.returncode == 1
    assert "not part of this installation" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_installation_archives(installed: Path, tmp_path: Path, media: Path) -> None:
    pictures = media / "library" / "DCIM"

    done = program(installed, "run", "--once", "--pictures", str(pictures), "--home", str(tmp_path), cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "archive").rglob("IMG_1400.JPG"))
