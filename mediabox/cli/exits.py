"""What the exit codes mean, for scripts."""

from mediabox.errors import Away, MediaboxError, NeedsHuman, Permanent, Retryable

OK = 0
PROBLEM = 1
USAGE = 2  # argparse's own
NEEDS_PERSON = 3
TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h


class WrongUsage(Permanent):
    """The command line says something that cannot be meant."""


def of(error: MediaboxError) -> int:
    """The code an error ends the program with."""
    match error:
        case WrongUsage():
            return USAGE
        case NeedsHuman():
            return NEEDS_PERSON
        case Away() | Retryable():
            return TRY_LATER
        case _:
            return PROBLEM
