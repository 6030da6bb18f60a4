"""
Paster: the commands, and a site to begin with, for PasteScript
===============================================================

``paster session-cookie COMMAND`` is ``python -m paste_sessioncookie COMMAND``, and
``paster create -t session_cookie NAME`` makes a small site of two applications with
one login.

PasteScript finds both by their entry points, and calls a few methods of them; the
only thing of it that is imported is what copies a template's files.
"""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from .commands import main


class SessionCookieCommand:
    """The entry point ``session-cookie`` of ``paste.global_paster_command``."""

    summary = 'Make secrets, check a configuration, look into a cookie, revoke logins'
    group_name = 'paste_sessioncookie'
    hidden = False

    def __init__(self, name: str) -> None:
        self.command_name = name

    def run(self, arguments: Sequence[str]) -> int:
        """Returns the exit status."""
        return main(arguments, f'paster {self.command_name}')


class SiteTemplate:
    """The entry point ``session_cookie`` of ``paste.paster_create_template``."""

    summary = 'Two applications behind one session cookie, and a login'
    egg_plugins: Sequence[str] = ()
    required_templates: Sequence[str] = ()

    def __init__(self, name: str) -> None:
        self.name = name

    def read_vars(self, command: Any = None) -> list[Any]:
        """It asks nothing."""
        return []

    def check_vars(self, variables: dict[str, Any], command: Any) -> dict[str, Any]:
        return variables

    def template_dir(self) -> str:
        return os.path.join(os.path.dirname(__file__), 'template')

    def run(self, command: Any, output_dir: str, variables: dict[str, Any]) -> None:
        """Write the files."""
        from paste.script.copydir import copy_dir
        copy_dir(self.template_dir(), output_dir, variables, verbosity=command.verbose,
                 simulate=command.options.simulate, interactive=command.interactive,
                 overwrite=command.options.overwrite, indent=1)
