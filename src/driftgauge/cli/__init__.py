"""The command line. Each command imports what it needs when it runs, so that none pays for another.

Exit codes: 0 done; 1 it failed, and the reason is one line on stderr; 2 it was used in a wrong way, or
its configuration can't be used. No command ends in a traceback for what its user did.
"""

from driftgauge.cli.group import main

__all__ = ["main"]
