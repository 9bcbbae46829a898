"""image-build/try and tests/run: what they do before Python is there to be tested."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = (
    "bash",
    "cat",
    "chmod",
    "dirname",
    "env",
    "flock",
    "grep",
    "mkdir",
    "realpath",
    "rm",
    "sed",
    "sha256sum",
    "touch",
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the scripts alone, with a system of its own: few tools, and the Python a test puts there."""
    root = tmp_path / "check out"  # a space, as people have them
    (root / "tests" / "media" / "library").mkdir(parents=True)
    shutil.copytree(ROOT / "image-build", root / "image-build")
    (root / "pyproject.toml").write_text("[project]\n")
    (root / "bin").mkdir()
    for tool in TOOLS:
        (root / "bin" / tool).symlink_to(shutil.which(tool) or pytest.skip(f"no {tool}"))
    return root


def program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


PIP = r"""
echo pip
printf '#!/usr/bin/env bash\necho "$@"\n' >"${0%/*}/mediabox"
chmod +x "${0%/*}/mediabox"
"""
MAKE_VENV = r"""
mkdir -p "$3/bin"
cat "${0%/*}/../pip-python" >"$3/bin/python"
chmod +x "$3/bin/python"
echo "$3" >"$3/pyvenv.cfg"
"""


def python(root: Path, *, lacks: str = "nothing") -> None:
    """A Python whose environments have a pip that only says it ran; whoever imports `lacks` fails."""
    program(root / "pip-python", PIP)
    program(root / "bin" / "python3", f'case $* in *{lacks}*) exit 1 ;; "-m venv"*) {MAKE_VENV} ;; esac')


def start(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(root / "bin"), "HOME": str(root / "home")}
    command = [str(root / "image-build" / "try"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=root)


def test_installs_once_and_hands_everything_to_the_program(checkout: Path) -> None:
    python(checkout)
    (checkout / "my pictures").mkdir()

    first = start(checkout, "my pictures", "--once", "--home", "h", "--log-level", "debug")
    second = start(checkout)

    told = f"run --pictures {checkout}/my pictures --home {checkout}/h --once --log-level debug"
    assert first.stdout.splitlines() == ["pip", told], first.stderr
    default = f"{checkout}/tests/media/library --home {checkout}/home/.local/share/mediabox-try"
    assert second.stdout.splitlines() == [f"run --pictures {default}"]
    assert second.stderr == ""


def test_installs_again_when_the_project_changed_or_an_install_was_interrupted(checkout: Path) -> None:
    python(checkout)
    start(checkout)

    (checkout / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    changed = start(checkout)
    (checkout / ".venv" / "installing").touch()
    (checkout / ".venv" / "half").touch()
    interrupted = start(checkout)

    assert changed.stdout.startswith("pip\n")
    assert interrupted.stdout.startswith("pip\n")
    assert not (checkout / ".venv" / "half").exists()
    assert start(checkout).stdout.startswith("run ")


def test_makes_the_environment_anew_where_the_checkout_was_moved_to(checkout: Path) -> None:
    python(checkout)
    start(checkout)

    moved = checkout.rename(checkout.with_name("elsewhere"))

    assert start(moved).stdout.startswith("pip\n")


@pytest.mark.parametrize(("lacks", "package"), [("ensurepip", "python3-venv"), ("libseccomp", "libseccomp2")])
def test_names_the_package_the_system_lacks(checkout: Path, lacks: str, package: str) -> None:
    python(checkout, lacks=lacks)

    done = start(checkout)

    assert done.returncode == 1
    assert f"  sudo apt install {package}\n" in done.stderr


def test_says_which_python_it_needs(checkout: Path) -> None:
    program(checkout / "bin" / "python3", 'case $* in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac')

    done = start(checkout)

    assert done.returncode == 1
    assert "needs Python 3.11, 3.12 or 3.13; python3 here is Python 3.9.2" in done.stderr


def test_refuses_a_folder_that_is_not_there(checkout: Path) -> None:
    done = start(checkout, "nowhere")

    assert (done.returncode, done.stderr) == (1, f"There is no folder {checkout}/nowhere.\n")


def test_a_simulated_phone_needs_syncthing(checkout: Path) -> None:
    python(checkout)

    without = start(checkout, "--pixel")
    program(checkout / "bin" / "syncthing", "true")
    there = start(checkout, "--pixel", "--once")

    assert (without.returncode, without.stdout) == (1, "")
    assert "sudo apt install syncthing" in without.stderr
    assert there.stdout.splitlines()[-1].endswith("mediabox-try --simulated-pixel --once")


def test_every_script_can_be_started() -> None:
    for script in ("image-build/try", "tests/run", ".ci/run"):
        assert os.access(ROOT / script, os.X_OK), script
