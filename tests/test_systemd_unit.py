"""The unit is read by systemd itself, as far as that goes without running it."""

import re
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1] / "systemd" / "mediabox.service"
# 2.3 on systemd 252 and lower later. What is left is the network, and the namespaces the decoders lock themselves into.
MOST_EXPOSURE = 2.4


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("systemd is not installed")


@pytest.fixture
def unit(tmp_path: Path) -> str:
    """The unit with a program that exists here; systemd would only complain about that."""
    text, count = re.subn(
        r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert count == 1
    (tmp_path / UNIT.name).write_text(text, encoding="utf-8")
    return str(tmp_path / UNIT.name)


def test_systemd_understands_every_line(unit: str) -> None:
    done = analyze("verify", "--man=no", unit)

    # It succeeds even when it ignores a setting, and only says so.
    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_is_exposed_no_more_than_it_must_be(unit: str) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSURE * 10:.0f}", unit)
    if "unrecognized option" in done.stderr:
        pytest.skip("systemd is older than 250")

    assert done.returncode == 0, done.stdout


def test_the_kernel_figures_the_governor_reads_stay_visible() -> None:
    assert not re.search(r"^ProcSubset=", UNIT.read_text(encoding="utf-8"), flags=re.MULTILINE)
