"""mediabox: pictures in, a proven archive out."""

__version__ = "0.1.0"
