"""``python -m paste_sessioncookie``: see :mod:`paste_sessioncookie.commands`."""
import sys

from .commands import main

sys.exit(main())
