"""Run a program that dies with whoever started it: `python -m mediabox.simulate.pixel.leash PID PROGRAM ...`.

The kernel kills it when the *thread* that started it ends (prctl(2), PR_SET_PDEATHSIG), so a
simulator or a test that is itself killed leaves no Syncthing behind. Elsewhere than on Linux there is no leash.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the kernel knew
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the program's arguments come from this package alone


if __name__ == "__main__":
    main()
