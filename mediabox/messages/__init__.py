"""Messages in the reader's language: one file in gettext's format for each, and who reads now."""
