"""
Commands: for the people who run a site
=======================================

``python -m paste_sessioncookie COMMAND``, or ``paster session-cookie COMMAND``::

    secret PATH             makes a secret
    keypair PATH            makes the keys of signed logins
    check INI...            judges the configuration
    inspect INI             says what a cookie is, and why it is refused
    revoke INI USER         ends all logins of a user

The exit status is 0 where all is well, 1 where there is something to report, 2
where the command could not do its work.  No command shows a secret or a session
ID, and none takes a secret or a cookie as an argument, which all users of a
machine can see.

The only room that prints.
"""
from __future__ import annotations

import argparse
import configparser
import io
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import IO

from . import checkup, inspection, sources
from .errors import ConfigError, RevocationUnavailable
from .filters import SESSION, Filter
from .login import native_user
from .findings import LEVELS, Finding, site_of
from .state import SessionState
from .wiring import Wiring, read

PROGRAM = 'python -m paste_sessioncookie'
FINE, REPORT, TROUBLE = 0, 1, 2  # exit statuses

MOST_INPUT = 64 * 1024  # characters; servers take less than this for all headers
MOST_TYPED = 4095        # characters of a line that a Linux terminal takes (termios(3))

_COLOURS = {'error': '31', 'warning': '33', 'note': '36', 'fine': '32'}  # ECMA-48, SGR


class Trouble(Exception):
    """The command cannot do its work; the text says what to do."""


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """Run a command.  Returns the exit status."""
    options = make_parser(program).parse_args(arguments)
    # what the filters say to a server's log is said here in another form
    logging.getLogger('paste_sessioncookie').addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')  # where the locale has no "é"
    try:
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except Trouble as trouble:
        print(f'{program}: {trouble}', file=sys.stderr)
    except BrokenPipeError:
        # the reader has seen enough; nothing is left to flush when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print(file=sys.stderr)
    return TROUBLE


# -- what there is to say -------------------------------------------------------

def make_parser(program: str) -> argparse.ArgumentParser:
    """The commands, and what --help says of them."""
    parser = _parser(argparse.ArgumentParser, prog=program, description=_DESCRIPTION,
                     epilog=_STATUSES)
    parser.add_argument('--version', action='version', version=version('paste_sessioncookie'))
    commands = parser.add_subparsers(title='commands', metavar='COMMAND', required=True)

    secret = _parser(commands.add_parser, 'secret', help='make a secret',
                     description=_SECRET)
    secret.add_argument('path', metavar='PATH', help='the file to make')
    secret.set_defaults(run=run_secret)

    keypair = _parser(commands.add_parser, 'keypair', help='make the keys of signed logins',
                      description=_KEYPAIR)
    keypair.add_argument('path', metavar='PATH', help='the file to make; and PATH.pub')
    keypair.set_defaults(run=run_keypair)

    check = _parser(commands.add_parser, 'check', help='judge the configuration of a site',
                    description=_CHECK)
    _add_ini(check, '+')
    check.add_argument('--errors', action='store_true',
                       help='let only errors, not warnings, count for the exit status')
    check.set_defaults(run=run_check)

    inspect = _parser(commands.add_parser, 'inspect', description=_INSPECT,
                      help='say what a cookie is, and why it is refused')
    _add_ini(inspect)
    inspect.add_argument('--values', action='store_true',
                         help='show the user and the values, too')
    inspect.set_defaults(run=run_inspect)

    revoke = _parser(commands.add_parser, 'revoke', help='end all logins of a user',
                     description=_REVOKE)
    _add_ini(revoke)
    revoke.add_argument('user', metavar='USER', help='as REMOTE_USER has him')
    revoke.set_defaults(run=run_revoke)
    return parser


def _parser(make: object, *names: str, **options: object) -> argparse.ArgumentParser:
    """A parser that leaves the lines of its texts alone, and takes no abbreviations."""
    assert callable(make)
    made: argparse.ArgumentParser = make(
        *names, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
        **options)
    return made


def _add_ini(parser: argparse.ArgumentParser, count: str | None = None) -> None:
    parser.add_argument('ini', metavar='INI', nargs=count,
                        help='a file, or FILE#NAME for another application than main')
    parser.add_argument('--set', action='append', default=[], metavar='NAME=VALUE',
                        dest='variables', type=_variable,
                        help='a variable that the file takes from the command line of '
                        'the server, as %%(NAME)s')


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition('=')
    if not (name and equals):
        raise argparse.ArgumentTypeError(f'{text}: it takes NAME=VALUE')
    return name, value


_DESCRIPTION = '''\
For the people who run a site: secrets, keys, and answers.

  python -m paste_sessioncookie secret site.secret
  python -m paste_sessioncookie check production.ini
  python -m paste_sessioncookie inspect production.ini
'''
_STATUSES = '''\
exit status: 0 all is well, 1 there is something to report, 2 the command could
not do its work.  COMMAND --help says more.
'''
_SECRET = '''\
Make a secret in a new file that only its owner can read.  A file that is there
is left alone.

  python -m paste_sessioncookie secret /etc/site/session.secret

and in the ini file:

  [filter:session]
  use = egg:paste_sessioncookie#session_cookie
  secret = file:/etc/site/session.secret

Run it as the user who runs the server.  All servers of a site take the same file.
exit status: 0 made, 2 not made.
'''
_KEYPAIR = '''\
Make an Ed25519 private key in PATH, which only its owner can read, and its public
half in PATH.pub, so that one process alone can log users in.  Files that are there
are left alone.

  python -m paste_sessioncookie keypair login.pem

In the ini file of the application that logs users in:

  login_private_key = file:login.pem

and in those of all others:

  login_public_keys = file:login.pem.pub

exit status: 0 made, 2 not made.
'''
_CHECK = '''\
Judge the session_cookie, namespace, require_login and profile sections of ini
files, and where they stand.  Several files are taken for one site.

  python -m paste_sessioncookie check production.ini
  python -m paste_sessioncookie check weblog.ini shop.ini#storefront
  python -m paste_sessioncookie check --set http_port=8080 production.ini

No application is loaded, no file made, no server asked: it runs where there is
neither a database nor the applications.  What it says can be shown to others: it
has no secrets in it.

exit status: 0 nothing, or notes alone; 1 errors or warnings (with --errors: errors);
2 a file cannot be read.
'''
_INSPECT = '''\
Say what a cookie is, and why it is refused: its status, its times, its sizes, and
which secret has signed it.  The cookie comes from standard input: its value,
name=value, or a whole Cookie or Set-Cookie line as browsers' tools copy it.

  python -m paste_sessioncookie inspect production.ini
  xclip -o | python -m paste_sessioncookie inspect production.ini

A cookie is a key to somebody's session: keep it out of files, shell histories and
mails.  What the command says can be shown to others; with --values it has the user
and the values in it.

exit status: 0 the cookie is accepted, 1 it is refused, 2 the file cannot be read.
'''
_REVOKE = '''\
Void every login of a user up to now, on all servers that share the revocation list
of the ini file: sqlite:, redis:// or module:callable.  He can log in again.

  python -m paste_sessioncookie revoke production.ini bob

Run it as the user who runs the server.  The list of "revocation = memory" is in the
server's own process: there, only an application can do this.

exit status: 0 revoked, 1 the list does not answer, 2 the file cannot be used.
'''


# -- secrets and keys -----------------------------------------------------------

def run_secret(options: argparse.Namespace) -> int:
    _make(options.path, sources.new_secret(), 0o600)
    print(f'made {options.path}\n\nIn the ini file:\n\n  secret = file:{_full(options.path)}')
    return FINE


def run_keypair(options: argparse.Namespace) -> int:
    try:
        from .jws import new_key_pair
    except ConfigError as error:
        raise Trouble(str(error)) from None
    public_path = f'{options.path}.pub'
    if os.path.lexists(public_path):
        raise Trouble(_is_there(public_path))
    private, public = new_key_pair()
    _make(options.path, private, 0o600)
    _make(public_path, public, 0o644)
    print(f'made {options.path} and {public_path}\n\n'
          'In the ini file of the application that logs users in:\n\n'
          f'  login_private_key = file:{_full(options.path)}\n\n'
          f'and in those of all others:\n\n  login_public_keys = file:{_full(public_path)}')
    return FINE


def _make(path: str, text: str, mode: int) -> None:
    try:
        sources.write_new(path, text, mode)
    except FileExistsError:
        raise Trouble(_is_there(path)) from None
    except OSError as error:
        raise Trouble(f'{path} cannot be made: {error.strerror}') from None


def _is_there(path: str) -> str:
    return f'{path} is there, and is left alone.  Take another name, or move it away first'


def _full(path: str) -> str:
    return os.path.abspath(path)


# -- check ----------------------------------------------------------------------

def run_check(options: argparse.Namespace) -> int:
    wirings = [_read(uri, options.variables) for uri in options.ini]
    found = checkup.findings(wirings)
    for finding in found:
        print(_level(finding.level, sys.stdout), _where(finding))
        print(f'  what    {finding.problem}\n'
              f'  then    {finding.consequence}\n'
              f'  remedy  {finding.remedy}\n')
    count = Counter(finding.level for finding in found)
    print(_summary(wirings, count))
    counted = ('error',) if options.errors else ('error', 'warning')
    return REPORT if any(count[level] for level in counted) else FINE


def _where(finding: Finding) -> str:
    file, section = finding.place
    place = f'{os.path.relpath(file) if file else ""} [{section}] {finding.option}'
    return place.strip()


def _summary(wirings: Sequence[Wiring], count: Counter[str]) -> str:
    sessions = len(_filters(wirings))
    seen = _counted(sum(len(each.ways) for each in wirings), 'application')
    seen += f', {sessions} session_cookie'
    if not sessions and not count:
        return f'there is no session_cookie ({seen})'
    said = ', '.join(_counted(count[level], level)
                     for level in LEVELS if count[level])
    return f'{said or _level("fine", sys.stdout)} ({seen})'


def _counted(number: int, word: str) -> str:
    return f'{number} {word}{"s" * (number != 1)}'


# -- inspect --------------------------------------------------------------------

def run_inspect(options: argparse.Namespace) -> int:
    filters = _session_cookies(options)
    try:
        status, rows = inspection.inspect(filters, _pasted(), options.values)
    except ConfigError as error:
        raise Trouble(str(error)) from None
    accepted = status in inspection.ACCEPTED
    for row in rows:
        text = row.text
        if row.label == 'status':
            text = _coloured(text, 'fine' if accepted else 'error', sys.stdout)
        print(f'{row.label:<20}{text}')
    return FINE if accepted else REPORT


def _pasted() -> str:
    """What is on standard input.  Raises Trouble for what cannot be a cookie."""
    terminal = sys.stdin.isatty()
    if terminal:
        print('Paste the cookie, and press Enter:', file=sys.stderr)
    try:
        text = sys.stdin.readline(MOST_INPUT) if terminal else sys.stdin.read(MOST_INPUT)
    except UnicodeDecodeError:
        raise Trouble('what is on standard input is no text') from None
    if terminal and len(text) >= MOST_TYPED:
        raise Trouble('a terminal cuts lines off at 4095 characters, and this may be one: '
                      'pipe it, as in "xclip -o | ..."')
    if len(text) >= MOST_INPUT:
        raise Trouble('what is on standard input is longer than all headers that a server '
                      'takes: give it the Cookie line alone')
    if not text.strip():
        raise Trouble('there is no cookie on standard input: its value, name=value, or a '
                      'whole Cookie line')
    return text


# -- revoke ---------------------------------------------------------------------

def run_revoke(options: argparse.Namespace) -> int:
    try:
        user = native_user(options.user)
    except ValueError as error:
        raise Trouble(str(error)) from None
    filters = _session_cookies(options)
    for each in filters:
        _check_list(each)
    status = FINE
    for each in filters:
        try:
            policy = each.with_list().policy
            SessionState(policy, int(time.time()), 'new').revoke_user(user)
        except ConfigError as error:
            raise Trouble(str(error)) from None
        except RevocationUnavailable as error:
            print(f'{error}: nothing is revoked on the list of [{each.place.section}]',
                  file=sys.stderr)
            status = REPORT  # the others, all the more
        else:
            print(f'revoked: every login of {options.user} up to now, on the list of '
                  f'[{each.place.section}] ({each.engine[0]})')
    return status


def _check_list(one: Filter) -> None:
    """Raises Trouble for a list that this process cannot write to."""
    kind, address = one.engine
    where = f'[{one.place.section}] in {one.place.file}'
    if kind in ('none', 'memory'):
        raise Trouble(
            f'{where} has revocation = {kind}: there is no list that this command could '
            'write to.  Write revocation = sqlite:%(here)s/revoked.sqlite (or redis:// for '
            'several machines) and start the server anew; until then not_before = TIME, and '
            'a new start, logs everybody out')
    if kind == 'sqlite' and not os.path.exists(address):
        raise Trouble(f'there is no file {address} yet.  The server makes it when it starts, '
                      'with this ini file, as its own user')


# -- what they share --------------------------------------------------------------

def _read(uri: str, variables: Sequence[tuple[str, str]]) -> Wiring:
    """What an ini file says.  Raises Trouble."""
    filename = uri.partition('#')[0]
    try:
        return read(uri, dict(variables))
    except FileNotFoundError as error:
        raise Trouble(f'there is no file {error.filename}') from None
    except OSError as error:
        raise Trouble(f'{error.filename} cannot be read: {error.strerror}') from None
    except PackageNotFoundError as error:
        raise Trouble(f'{filename}: it requires {error.name}, which is not installed '
                      'here') from None
    except configparser.InterpolationMissingOptionError as error:
        raise Trouble(f'{filename}: %({error.reference})s has no value: [DEFAULT] has none, '
                      f'and "--set {error.reference}=VALUE" gives one') from None
    except (LookupError, ValueError, configparser.Error) as error:
        raise Trouble(f'{filename}: {_reason(error)}') from None


def _reason(error: Exception) -> str:
    """What is wrong with a file, in one line.  A line of the file, which may have a
    secret in it, is not shown."""
    if isinstance(error, configparser.MissingSectionHeaderError):
        if error.line.startswith('\ufeff'):
            return 'it begins with a byte order mark; save it as UTF-8 without one'
        return f'line {error.lineno} stands before the first [section]'
    if isinstance(error, configparser.ParsingError):
        lines = ', '.join(str(number) for number, _ in error.errors)
        return f'it takes [section], name = value, or a comment in line {lines}'
    if isinstance(error, configparser.InterpolationError):
        return (f'[{error.section}] {error.option}: what "%(NAME)s" stands for cannot be '
                'found out; a "%" that is one is written "%%"')
    if isinstance(error, UnicodeDecodeError):
        return f'it is not {error.encoding.upper()}; save it as that'
    text = str(error.args[0] if isinstance(error, LookupError) and error.args else error)
    return ' '.join(text.split())


def _session_cookies(options: argparse.Namespace) -> list[Filter]:
    """The outer filters of a file.  Raises Trouble where it has none, or a faulty one."""
    filters = _filters([_read(options.ini, options.variables)])
    if not filters:
        raise Trouble(f'{options.ini}: no application is behind a session_cookie; '
                      f'"check {options.ini}" says more')
    for each in filters:
        if each.faults:
            faults = '\n  - '.join(each.faults)
            raise Trouble(f'[{each.place.section}] in {each.place.file}:\n  - {faults}')
    for each in filters:
        if not each.secret_is_there:
            raise Trouble(f'there is no file {each.paths("secret")[0]} yet, and so no cookie: '
                          'the server makes it at its first start')
    return filters


def _filters(wirings: Sequence[Wiring]) -> list[Filter]:
    return [each for each in site_of(wirings).filters if each.kind == SESSION]


def _level(level: str, stream: IO[str]) -> str:
    return _coloured(level, level, stream)


def _coloured(text: str, colour: str, stream: IO[str]) -> str:
    """The text, in a colour where somebody looks at it who wants some (no-color.org)."""
    if (not stream.isatty() or os.environ.get('NO_COLOR')
            or os.environ.get('TERM', 'dumb') == 'dumb'):
        return text
    return f'\x1b[{_COLOURS[colour]}m{text}\x1b[0m'
