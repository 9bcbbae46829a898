"""Bytes on disk. The only package that renames, links, syncs or unlinks.

`volume` proves that the right disk is there, `spool` takes bytes in, `publish` gives
them a final name, `directory_sync` makes that name durable, `verify` reads it back
past the page cache. All of it blocks: call it from threads.
"""
