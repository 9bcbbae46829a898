"""Why a file cannot be made what a destination wants."""


class Unfit(Exception):
    """The message says why, for a person. It begins with `HDR: ` when the picture would only lose its range."""
