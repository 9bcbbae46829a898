"""`mediabox simulate icloud` as a person starts it."""

import argparse
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from patience import PATIENCE_S

from mediabox.__main__ import main
from mediabox.cli import exits
from mediabox.errors import Fatal
from mediabox.simulate.command import icloud


def arguments(folder: Path, home: Path, *, port: int = 0) -> argparse.Namespace:
    return argparse.Namespace(
        service="icloud", folder=str(folder), home=str(home), port=port, apple_id="a@example.com", password="secret"
    )


def test_prints_what_a_mediabox_needs_and_ends_when_asked(media: Path, tmp_path: Path) -> None:
    shutil.copytree(media / "library/DCIM", tmp_path / "pictures")
    code = (
        "import argparse, sys; from mediabox.simulate.command import icloud;"
        "sys.exit(icloud.run(argparse.Namespace(service='icloud', folder=sys.argv[1], home=sys.argv[2], port=0,"
        "apple_id='a@example.com', password='secret')))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "pictures"), str(tmp_path / "home")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = ""
        while "Ctrl-C" not in printed:
            printed += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=PATIENCE_S) == 0

    assert "a@example.com" in printed
    assert re.search(r'ca_file = ".*ca.pem"', printed)
    assert re.search(r'home = "https://127\.0\.0\.1:\d+"', printed)


def test_says_when_the_folder_or_the_port_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="nowhere"):
        icloud.run(arguments(tmp_path / "nowhere", tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Fatal, match="--port"):
        icloud.run(arguments(tmp_path, tmp_path / "home", port=taken.getsockname()[1]))


@pytest.mark.parametrize("words", [("simulate", "pixel", "--box"), ("run", "--once", "--simulated-pixel")])
def test_an_installation_without_the_simulators_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    monkeypatch.setitem(sys.modules, "mediabox.simulate", None)  # not to be found

    code = main(words)

    assert code == exits.PROBLEM
    assert "not part of this installation" in capsys.readouterr().err
