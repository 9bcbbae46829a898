"""Signing in to iCloud. `keeper` is the daemon's side; `child` runs pyicloud in a process of its own.

Read `messages` first (what is said between the two), then `keeper` (when to say it),
`conversation` (how Apple is asked) and `verdict` (what an answer of Apple's means).
"""
