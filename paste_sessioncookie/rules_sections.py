"""
Rules of a checkup: what one section says
=========================================
"""
from __future__ import annotations

import os
import re
from collections.abc import Iterator

from . import filesystem
from .filters import SESSION, TABLES, Filter
from .findings import Finding, Site
from .wiring import Place

_REPOSITORIES = ('.git', '.hg', '.svn', '.bzr')


def _faults(site: Site) -> Iterator[Finding]:
    for each in site.filters + site.unused:
        for fault in each.faults:
            name, _, sentence = fault.partition(': ')
            option = name.partition(' = ')[0]
            level, consequence = ('warning', 'the server would not start with it') if (
                each in site.unused) else ('error', 'the server does not start')
            yield Finding(level, each.part.home(option), option, name, consequence, sentence)


def _hidden(site: Site) -> Iterator[Finding]:
    for each in site.filters:
        part, table = each.part, TABLES.get(each.kind, {})
        for name in table:
            if name not in part.global_conf or name in part.local_conf:
                continue
            default = part.place._replace(section='DEFAULT')
            if table[name].inherited:
                yield Finding(
                    'warning', default, name, f'{name} stands in [DEFAULT]',
                    'the factory of every application can read it there',
                    f'write it into [{part.place.section}] alone')
            elif not table[name].hidden:  # which would be a fault
                yield Finding(
                    'warning', default, name, f'[DEFAULT] has {name}, too',
                    f'Paste Deploy hides what [{part.place.section}] says of it, and the '
                    'default counts',
                    f'write "set {name} = VALUE" and "get {name} = {name}" into '
                    f'[{part.place.section}]')


def _secrets(site: Site) -> Iterator[Finding]:
    options = ('secret', 'accept_secrets', 'login_private_key')
    for each in site.filters:
        if each.kind != SESSION:
            continue
        for option in options:
            for path in each.paths(option):
                yield from _readable(path, each.part.home(option), option)
                yield from _replaceable(path, each.part.home(option), option)
        if not each.faults and not each.secret_is_there:
            yield Finding(
                'note', each.part.home('secret'), 'secret',
                f'there is no file {each.paths("secret")[0]} yet', 'it is made at the first '
                'start, by the user who runs the server', 'nothing is to be done')
        yield from _written_out(each)


def _readable(path: str, place: Place, option: str) -> Iterator[Finding]:
    if os.path.isfile(path) and filesystem.is_open_to_all(path):
        yield Finding('warning', place, option, f'{path} can be read by everybody on this '
                      'machine', 'whoever has an account here can log in as anybody',
                      f'chmod 600 {path}')


def _replaceable(path: str, place: Place, option: str) -> Iterator[Finding]:
    if os.path.isdir(os.path.dirname(path)) and (directory := filesystem.open_directory(path)):
        yield Finding('warning', place, option, f'everybody on this machine can write into '
                      f'{directory}', f'whoever has an account here can put another file in '
                      f'the place of {path}', f'chmod o-w {directory}')


def _lists(site: Site) -> Iterator[Finding]:
    for each in site.sessions:
        kind, path = each.engine
        if kind != 'sqlite':
            continue
        place = each.part.home('revocation')
        yield from _replaceable(path, place, 'revocation')
        if os.path.isfile(path) and filesystem.is_writable_by_all(path):
            yield Finding('warning', place, 'revocation', f'{path} can be written by '
                          'everybody on this machine', 'whoever has an account here can '
                          'bring a login back that was ended', f'chmod 600 {path}')


def _written_out(each: Filter) -> Iterator[Finding]:
    """A secret that stands in the file itself."""
    conf = {**each.part.global_conf, **each.part.local_conf}
    for option in ('secret', 'accept_secrets'):
        words = str(conf.get(option, '')).split()
        if any(fault.startswith(f'{option}: ') for fault in each.faults):
            continue  # it is none
        if all(re.match('(?:file|env|generate):', word) for word in words):
            continue
        place = each.part.home(option)
        if repository := _repository(place.file):
            yield Finding(
                'warning', place, option, f'the secret is written out, and {repository} is a '
                'repository', 'whoever can read its history can log in as anybody',
                'write secret = generate:%(here)s/session.secret (and accept_secrets the old '
                'one, for as long as lifetime, if nobody else has seen it)')
        else:
            yield from _readable(place.file, place, option)


def _repository(filename: str) -> str:
    """The folder above a file that is under version control; '' for none."""
    folder = os.path.dirname(os.path.abspath(filename))
    while True:
        if any(os.path.exists(os.path.join(folder, name)) for name in _REPOSITORIES):
            return folder
        if folder == (folder := os.path.dirname(folder)):
            return ''


def _weak(site: Site) -> Iterator[Finding]:
    for each in site.sessions:
        handler = each.handler
        for option, weak, problem, consequence, remedy in (
                ('secure', handler.secure is False, 'secure = false',
                 'browsers send the cookie without encryption, too, where anybody on the way '
                 'can copy it', 'remove the line; for tests without TLS write secure = auto'),
                ('samesite', handler.samesite == 'None', 'samesite = None',
                 'pages of other sites can make requests that carry the login',
                 'write samesite = Lax, unless the site is shown in frames of others'),
                ('domain', bool(each.values['domain']), f'domain = {each.values["domain"]}',
                 'every host of the domain receives the cookie, and can set others of its '
                 'name', 'remove the line, unless the applications are on several hosts'),
                ('revocation', each.engine[0] == 'none', 'revocation = none',
                 'a copied cookie still works after its user has logged out',
                 'write revocation = sqlite:%(here)s/revoked.sqlite')):
            if weak:
                yield Finding('warning', each.part.home(option), option, problem, consequence,
                              remedy)


def _unused(site: Site) -> Iterator[Finding]:
    for each in site.unused:
        yield Finding('warning', each.place, '', f'no application is behind {each.part.name}',
                      'the section has no effect',
                      f'name it in a pipeline: "pipeline = {each.part.name} APPLICATION"')


RULES = (_faults, _hidden, _secrets, _lists, _weak, _unused)
