"""Other people's services, played on this machine: for trying the whole chain, and for tests.

Opened by the command line and the tests only; nothing the daemon loads imports it.
"""
