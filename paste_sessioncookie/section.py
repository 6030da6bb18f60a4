"""
One section of an ini file: options in, values or all faults out
================================================================

Each filter has one table ``name -> Option`` at the foot of its file.
:class:`IniSection` converts what PasteDeploy hands to a factory, and collects
every fault, so that all are reported at once.  A converter takes the text and
the directory of the ini file, and raises ValueError with a sentence that says
what is accepted; no sentence shows a secret.
"""
from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ConfigError

log = logging.getLogger('paste_sessioncookie')

Converter = Callable[[str, str], Any]


@dataclass(frozen=True)
class Option:
    """One line of a filter's table."""

    convert: Converter
    default: Any = None
    required: str = ''       # what to write, if the option must be there
    show: Callable[[str], str | None] = str  # what a fault may show of the value
    inherited: bool = False  # [DEFAULT] counts, as in the parent
    hidden: str = ''         # what would be if [DEFAULT] hid it, where that is a fault


def nothing(text: str) -> None:
    """For secrets."""


def scheme(text: str) -> str:
    """For addresses, which may have a password in them."""
    before, colon, _ = text.partition(':')
    return f'{before}:...' if colon else text


class IniSection:
    """
    The options of one section, converted: ``values``, and ``faults``.

    Constructor arguments: the filter's name as in ``use``, its table, and the
    two dictionaries that PasteDeploy hands to a factory; ``egg``, what stands
    before the name (nothing, where it is no filter's).
    """

    def __init__(self, filter_name: str, table: Mapping[str, Option],
                 global_conf: Mapping[str, Any] | None,
                 local_conf: Mapping[str, Any], egg: str = 'paste_sessioncookie#') -> None:
        global_conf = global_conf or {}
        self._title = egg + filter_name
        self._file = global_conf.get('__file__', '')
        self._here = global_conf.get('here') or os.path.dirname(self._file)
        self.faults: list[str] = []
        self.failed: set[str] = set()
        for name in local_conf:
            if name not in table:
                self.fault(unknown(name, table), name)
        self.values = {name: self._value(name, option, global_conf, local_conf)
                       for name, option in table.items()}
        self._judge_hidden([name for name in table
                            if name in global_conf and name not in local_conf], table)

    def fault(self, sentence: str, *names: str) -> None:
        """Add a fault that concerns the options ``names``."""
        self.faults.append(sentence)
        self.failed.update(names)

    def finish(self) -> dict[str, Any]:
        """The values.  Raises ConfigError with all faults."""
        if self.faults:
            count = 'a fault' if len(self.faults) == 1 else f'{len(self.faults)} faults'
            raise ConfigError(f'{self._place()}: {count} in its section', self.faults)
        return self.values

    def _value(self, name: str, option: Option, global_conf: Mapping[str, Any],
               local_conf: Mapping[str, Any]) -> Any:
        text = local_conf.get(name)
        if text is None and option.inherited:
            text = global_conf.get(name)
        if text is None:
            if option.required:
                self.fault(f'{name}: missing; {option.required}', name)
            return option.default
        try:
            return option.convert(_text(text), self._here)
        except ValueError as error:
            shown = option.show(_text(text))
            self.fault(f'{name}: {error}' if shown is None
                       else f'{name} = {shown}: {error}', name)
            return option.default

    def _judge_hidden(self, hidden: list[str], table: Mapping[str, Option]) -> None:
        """PasteDeploy drops a section's option that [DEFAULT] has as well."""
        unused = []
        for name in hidden:
            if table[name].inherited:
                log.warning(
                    '%s: %s is taken from [DEFAULT], where the factory of every '
                    'application can read it; write it into the section of the filter '
                    'alone', self._place(), name)
            elif table[name].hidden:
                self.fault(f'{name}: [DEFAULT] has it, so PasteDeploy hides what the section '
                           f'says of it, and {table[name].hidden}; write "set {name} = VALUE" '
                           f'and "get {name} = {name}" into the section, or another name '
                           'into [DEFAULT]', name)
            else:
                unused.append(name)
        if unused:
            log.warning(
                '%s: [DEFAULT] has %s, so PasteDeploy hides what the section says of '
                '%s is used.  To set it, write two lines into the section: '
                '"set %s = VALUE" and "get %s = %s"',
                self._place(), ', '.join(unused), 'it, and neither' if len(unused) == 1
                else 'them, and nothing of it', *[unused[0]] * 3)

    def _place(self) -> str:
        return self._title + (f' (loaded from {self._file})' if self._file else '')


def unknown(name: str, known: Iterable[str]) -> str:
    """The fault of an option that does not exist, with the nearest one that does."""
    names = {each.lower(): each for each in sorted(known)}
    near = difflib.get_close_matches(name.lower(), names, 1)
    return f'{name}: there is no such option; ' + (
        f'did you mean {names[near[0]]}?' if near
        else 'there are: ' + ', '.join(names.values()))


def _text(value: object) -> str:
    """What an ini file would say; factories are called from Python, too."""
    if isinstance(value, (list, tuple)):
        return '\n'.join(map(_text, value))
    if isinstance(value, bytes):
        return value.decode('utf-8', 'surrogateescape')
    return str(value).strip()
