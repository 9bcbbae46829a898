"""Which mediabox this is."""

VERSION = "0.1.0"  # SemVer; pyproject.toml reads it here
