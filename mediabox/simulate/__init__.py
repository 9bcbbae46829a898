"""Other people's services, played on this machine: for trying the whole chain, and for tests.

No part of the product: an installation may be without it. `mediabox.cli.simulate` and the tests alone open it.
"""
