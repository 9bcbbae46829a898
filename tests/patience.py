"""How long a test waits for what another process or thread must do.

Tests wait for events; this only ends a wait for something that never comes. It says nothing about speed:
an idle machine needs a small part of it, and a machine busy with other things may need most.
"""

PATIENCE_S = 240
