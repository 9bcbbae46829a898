"""Disks that fail and processes that die, on purpose. See README.md."""
