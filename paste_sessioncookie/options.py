"""
Options: ini text in, values or clear errors out
================================================

Each filter has one table ``name -> Option`` at the foot of its file.
:class:`IniSection` converts what PasteDeploy hands to a factory, and collects
every fault, so that all are reported at once.  A converter takes the text and
the directory of the ini file, and raises ValueError with a sentence that says
what is accepted; no sentence shows a secret.

This is the only room that opens ``file:``, ``env:`` and ``generate:``, and that
makes the revocation engines which an ini file names.
"""
from __future__ import annotations

import datetime
import difflib
import importlib
import ipaddress
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from paste.deploy.converters import asbool

from .encoding import is_token
from .environ import scanlist_fault
from .errors import ConfigError
from .revocation import (
    WORDS, Complaints, CustomRevocations, Revocations, missing_methods, shared)
from .revocation_redis import RedisStore
from .revocation_sqlite import SQLiteStore
from .revocation_store import Store
from .sessionid import new_base_id
from .signer import (
    CLOCK_SKEW, HOW_TO_MAKE_A_SECRET, MAX_COOKIE, MAX_DURATION, MIN_MAXLEN, MIN_SECRET)

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


def sources(text: str) -> str | None:
    """For keys, which may have been written out where their file belongs."""
    return text if re.fullmatch(r'(?:(?:file|env):\S*\s*)*', text) else None


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
    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    return f'{name}: there is no such option; ' + (
        f'did you mean {near[0]}?' if near else 'there are: ' + ', '.join(names))


def _text(value: object) -> str:
    """What an ini file would say; factories are called from Python, too."""
    if isinstance(value, (list, tuple)):
        return '\n'.join(map(_text, value))
    if isinstance(value, bytes):
        return value.decode('utf-8', 'surrogateescape')
    return str(value).strip()


# -- simple values ---------------------------------------------------------

_DURATION = re.compile(r'([0-9]{1,9})\s*([smhd]?)')
_UNIT = {'s': 1, '': 60, 'm': 60, 'h': 3600, 'd': 86400}  # in seconds


def duration(text: str, here: str) -> int:
    """``90s 30m 12h 14d``, or a number of minutes: in seconds."""
    match = _DURATION.fullmatch(text)
    seconds = int(match[1]) * _UNIT[match[2]] if match else 0
    if not 0 < seconds <= MAX_DURATION:
        raise ValueError('it takes a time as in 90s, 30m, 12h or 14d, or a number of '
                         'minutes; more than none, and ten years at most')
    return seconds


def boolean(text: str, here: str) -> bool:
    try:
        return bool(asbool(text))
    except ValueError:
        raise ValueError('it takes true or false') from None


def secure(text: str, here: str) -> bool | None:
    """True, False, or None for ``auto``."""
    if text.lower() == 'auto':
        return None
    try:
        return boolean(text, here)
    except ValueError:
        raise ValueError('it takes true, false or auto') from None


def choice(*words: str) -> Converter:
    """A converter that takes one of the words, in any case."""
    def convert(text: str, here: str) -> str:
        for word in words:
            if text.lower() == word.lower():
                return word
        raise ValueError('it takes one of: ' + ', '.join(words))
    return convert


def length(text: str, here: str) -> int:
    """Characters of a cookie."""
    if not re.fullmatch('[0-9]{1,6}', text) or not MIN_MAXLEN <= int(text) <= MAX_COOKIE:
        raise ValueError(f'it takes a number from {MIN_MAXLEN} to {MAX_COOKIE}, which is '
                         'what browsers keep')
    return int(text)


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")  # RFC 9110, 5.6.2
_PATH = re.compile(r'/[!-+\--:<-~]{0,199}')                 # RFC 6265, 4.1.1
_LABEL = r'[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
_HOST = re.compile(rf'(?:{_LABEL}\.)*{_LABEL}')


def cookie_name(text: str, here: str) -> str:
    if not _TOKEN.fullmatch(text):
        raise ValueError('it takes letters, digits and "-", "_", ".", 100 at most')
    return text


def path(text: str, here: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError('it takes a path that begins with "/", as in /shop, without '
                         'spaces, commas and semicolons')
    return text


def domain(text: str, here: str) -> str:
    """A host name in lower case, or '' for none."""
    name = text[1:] if text.startswith('.') else text
    if text and (not _HOST.fullmatch(name) or len(name) > 253 or _is_address(name)):
        raise ValueError('it takes a host name, as in example.org: no scheme, no port, '
                         'no address')
    return name.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def names(text: str, here: str) -> tuple[str, ...]:
    """environ keys, separated by white space."""
    keys = tuple(dict.fromkeys(text.split()))
    faults = [f'{key}: {fault}' for key in keys if (fault := scanlist_fault(key))]
    if faults:
        raise ValueError('; '.join(faults))
    return keys


def moment(text: str, here: str) -> float:
    """An ISO 8601 time (UTC, if it does not say): Unix time."""
    if not text:
        return 0
    try:
        # Python 3.10 does not read the Z
        time = datetime.datetime.fromisoformat(re.sub('[Zz]$', '+00:00', text))
    except ValueError:
        raise ValueError('it takes an ISO 8601 time, as in 2026-01-31T12:00:00Z') from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    now = datetime.datetime.now(datetime.timezone.utc)
    if time > now + datetime.timedelta(seconds=CLOCK_SKEW):
        raise ValueError('this is in the future: until then, nobody could stay logged in')
    return time.timestamp()


def native_name(text: str, here: str) -> str:
    """A name of one's own choice, as environ would have it."""
    _refuse_comment(text)
    if not text or not text.isprintable() or len(text) > 100:
        raise ValueError('it takes a name of 1 to 100 characters')
    return text.encode('utf-8').decode('latin-1')


def generator(text: str, here: str) -> Callable[[], bytes]:
    """``module:callable``, tried out."""
    make = python_object(text)
    try:
        first, second = new_base_id(make), new_base_id(make)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    except Exception as error:
        raise ValueError(f'it raised {type(error).__name__}: {error}') from error
    if first == second:
        raise ValueError('it gave the same bytes twice')
    return make


_PYTHON_OBJECT = re.compile(r'([A-Za-z_][\w.]*):([A-Za-z_][\w.]*)')


def python_object(text: str) -> Callable[..., Any]:
    """What ``module:callable`` names."""
    match = _PYTHON_OBJECT.fullmatch(text)
    if match is None:
        raise ValueError('it takes module:callable')
    module_name, attributes = match.groups()
    try:
        found: Any = importlib.import_module(module_name)
        for attribute in attributes.split('.'):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as error:  # importing runs somebody's code
        raise ValueError(f'it cannot be imported ({type(error).__name__}: {error})') from error
    if not callable(found):
        raise ValueError('it takes module:callable; this cannot be called')
    return found  # type: ignore[no-any-return]


def revocation(text: str, here: str) -> str | Store | Revocations:
    """``none`` or ``memory``; the store, or the engine, that anything else names."""
    engine, colon, rest = text.partition(':')
    engine = engine.lower()
    if not colon and engine in WORDS:
        return engine
    if colon and engine == 'sqlite':
        return _sqlite(rest.strip(), here)
    if colon and engine in ('redis', 'rediss', 'unix'):
        return _redis(f'{engine}:{rest}')
    if _PYTHON_OBJECT.fullmatch(text):
        return _custom(text)
    raise ValueError('it takes none, memory, sqlite:PATH, redis://HOST, or module:callable')


def _sqlite(name: str, here: str) -> Store:
    if name.startswith('//'):
        raise ValueError('it takes sqlite:PATH, without "//"')
    path = os.path.realpath(path_of(name, here))
    store = shared(('sqlite', path), partial(SQLiteStore, path))
    store.prepare()
    return store


def _redis(url: str) -> Store:
    _refuse_comment(url)
    return shared(('redis', url), partial(_prepared_redis, url))


def _prepared_redis(url: str) -> RedisStore:
    store = RedisStore(url)
    store.prepare()
    return store


def _custom(text: str) -> Revocations:
    # imported before shared() locks: a module of that name may be on its way in another
    # thread, and wait for that lock
    make = python_object(text)
    return shared(('custom', text), partial(_made_revocations, text, make))


def _made_revocations(text: str, make: Callable[[], Revocations]) -> Revocations:
    """What a callable returns.  It is called once in a process."""
    try:
        engine = make()
    except Exception as error:
        raise ValueError(f'it raised {type(error).__name__}: {error}') from error
    if missing := missing_methods(engine):
        raise ValueError(f'it returned a {type(engine).__name__}, which has no '
                         + ', '.join(missing))
    return CustomRevocations(engine, Complaints(text))


# -- groups and addresses ----------------------------------------------------

MAX_PATIENCE = 60  # seconds; a visitor waits as long

_URL = re.compile(r"[A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]{1,1000}")  # RFC 3986, no fragment
_URL_HOST = re.compile(r'[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*')
_LOCAL = re.compile(r'/(?!/)[!-\[\]-~]*')                            # no blank, no "\"
_DOTS = re.compile(r'/(?:\.|%2e){1,2}(?:[/?#]|$)', re.IGNORECASE)   # RFC 3986, 5.2.4
_METHOD = re.compile(r'[A-Za-z0-9_.:/]{1,100}')                     # XML-RPC, methodName


def tokens(text: str, here: str) -> tuple[str, ...]:
    """Groups, separated by white space or commas; one at least."""
    _refuse_comment(text)
    groups = tuple(dict.fromkeys(re.split(r'[\s,]+', text.strip(' \t\n,'))))
    if not all(map(is_token, groups)):
        raise ValueError('it takes groups, as in staff, editors; each of printable ASCII '
                         'without comma and space, one at least')
    return groups


def login_url(text: str, here: str) -> str:
    """A path of this host, or an https URL."""
    if _is_url(text, 'https') and '@' not in urlsplit(text).netloc:
        return text
    if _URL.fullmatch(text) and is_local(text):
        if 'came_from' not in parse_qs(urlsplit(text).query, keep_blank_values=True):
            return text
        raise ValueError('it takes a path without came_from, which the filter adds')
    raise ValueError('it takes a path of this host, as in /accounts/login, without "." and '
                     '".." parts, or an https URL, as in https://login.example.org/; what '
                     'is not ASCII percent-encoded')


def is_local(text: str) -> bool:
    """
    Whether a browser that is sent there stays at this host: a path, perhaps with
    query and fragment, of visible ASCII.

    "//host" and "/\\host" are other hosts, and what else has a backslash, or parts
    "." and "..", may look like one to somebody on the way.
    """
    return (_LOCAL.fullmatch(text) is not None
            and not _DOTS.search(re.split('[?#]', text)[0]))


def server_url(text: str, here: str) -> str:
    """The http or https URL of a server, perhaps with user and password."""
    if not _is_url(text, 'http', 'https'):
        raise ValueError('it takes an http or https URL, as in http://127.0.0.1:8000/RPC2; '
                         'what is special in a password percent-encoded')
    return text


def _is_url(text: str, *schemes: str) -> bool:
    """Whether it is a URL with one of the schemes, a host, and perhaps a port."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or '', parts.port
    except ValueError:
        return False
    return bool(_URL.fullmatch(text) and parts.scheme in schemes and port != 0 and (
        _URL_HOST.fullmatch(host) or _is_address(host)))


def method(text: str, here: str) -> str:
    """The name of an XML-RPC method."""
    if not _METHOD.fullmatch(text):
        raise ValueError('it takes the name of a method, as in get_profile: letters, digits '
                         'and "_", ".", ":", "/"')
    return text


def patience(text: str, here: str) -> int:
    """A duration for which a visitor can be made to wait, in seconds."""
    seconds = duration(text, here)
    if seconds > MAX_PATIENCE:
        raise ValueError('it takes a minute at most, as in 2s: a visitor waits for it (a '
                         'bare number is minutes)')
    return seconds


# -- secrets -----------------------------------------------------------------

_PLACEHOLDER = re.compile(
    r'change.?(?:me|this)|(?:your|my|some|the).?(?:own.?)?secret|secret.?(?:key|here)|'
    r'replace.?(?:me|this|with)|placeholder|example|password|passphrase|insert.?here|'
    r'random.?string|super.?secret|not.?so.?secret|itsaseekreet|^<.+>$', re.IGNORECASE)
_SOURCE = re.compile(r'(file|env|generate)\s*:', re.IGNORECASE)
_MIN_DIFFERENT = 8  # bytes; 32 random hex digits have fewer once in 28 million


def secret(text: str, here: str) -> bytes:
    """The secret, or what ``file:``, ``env:`` or ``generate:`` name."""
    return _secret(text, here, ('file', 'env', 'generate'))


def secret_list(text: str, here: str) -> tuple[bytes, ...]:
    """Secrets for reading only: one a line, or several separated by white space."""
    return tuple(_secret(each, here, ('file', 'env'))
                 for line in text.splitlines() for each in _split_secrets(line.strip()))


def _split_secrets(line: str) -> list[str]:
    """A line may also be one secret that has white space in it."""
    _refuse_comment(line)
    words = line.split()
    alone = [word for word in words if len(word) >= MIN_SECRET or _SOURCE.match(word)]
    if not alone:
        return [line]
    if len(alone) < len(words):
        raise ValueError('a line has secrets and something shorter: write each on a line '
                         'of its own')
    return words


def _secret(text: str, here: str, allowed: tuple[str, ...]) -> bytes:
    """One secret, written out or named.  Raises ValueError for a weak one."""
    source = _SOURCE.match(text)
    if source is None:
        _refuse_comment(text)
        if '\n' in text:
            raise ValueError('it takes one line; others go into accept_secrets')
        return _strong(text.encode('utf-8', 'surrogateescape'))
    kind, name = source[1], text[source.end():].strip()
    if text[:len(kind) + 1] != kind + ':' or kind not in allowed:
        raise ValueError('it takes the secret itself, or ' + ', '.join(
            {'file': 'file:PATH', 'env': 'env:NAME', 'generate': 'generate:PATH'}[each]
            for each in allowed))
    if kind == 'env':
        return _strong(_from_environment(name), f'the environment variable {name}: ')
    filename = path_of(name, here)
    if kind == 'generate':
        _generate(filename)
    found = _strong(_from_file(filename, 'To have it made at the first start, write '
                                         'generate: instead of file:'), f'{filename}: ')
    _warn_if_public(filename)
    return found


def _strong(data: bytes, where: str = '') -> bytes:
    """Raises ValueError for a secret that can be guessed."""
    if len(data) < MIN_SECRET:
        raise ValueError(f'{where}it has {len(data)} bytes and takes at least {MIN_SECRET}.  '
                         + HOW_TO_MAKE_A_SECRET)
    if len(set(data)) < _MIN_DIFFERENT or _PLACEHOLDER.search(data.decode('latin-1')):
        raise ValueError(f'{where}this looks like a placeholder.  ' + HOW_TO_MAKE_A_SECRET)
    return data


def _from_environment(name: str) -> bytes:
    if not name:
        raise ValueError('the name of an environment variable is missing')
    value = os.environ.get(name, '').strip()
    if not value:
        raise ValueError(f'the environment variable {name} is not set, or empty')
    return value.encode('utf-8', 'surrogateescape')


def path_of(name: str, here: str) -> str:
    """Relative names are relative to the ini file, not to wherever it is run."""
    if not name:
        raise ValueError('a file name is missing')
    _refuse_comment(name)
    return os.path.join(here, name)


def _refuse_comment(text: str) -> None:
    if re.search(r'\s[;#]', text):
        raise ValueError('ini files have no comments behind a value: put it on a line of '
                         'its own')


def _from_file(filename: str, hint: str) -> bytes:
    """What is in a file.  Raises ValueError, with the hint if there is none."""
    try:
        with open(filename, 'rb') as file:
            data = file.read(64 * 1024)
    except FileNotFoundError:
        if os.path.islink(filename):
            raise ValueError(f'{filename} is a link to a file that is not there') from None
        raise ValueError(f'there is no file {filename}.  {hint}') from None
    except OSError as error:
        raise ValueError(f'{filename} cannot be read: {error.strerror}') from error
    try:
        data.decode('utf-8')
    except UnicodeDecodeError:
        return data  # random bytes may well begin or end with a blank
    return data.strip()


def _warn_if_public(filename: str) -> None:
    if os.stat(filename).st_mode & 0o007:
        log.warning('%s can be read by everybody on this machine; chmod 600 it', filename)


def _generate(filename: str) -> None:
    """Make the file if it is not there.  Several processes may start at once:
    it appears whole, and the first one's stays."""
    if os.path.exists(filename):
        return
    temporary = f'{filename}.{os.getpid()}.{secrets.token_hex(4)}'
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, 'w', encoding='ascii') as file:
                file.write(secrets.token_hex(MIN_SECRET) + '\n')
                file.flush()
                os.fsync(descriptor)
            os.link(temporary, filename)
        finally:
            os.unlink(temporary)
    except FileExistsError:
        return
    except OSError as error:
        raise ValueError(f'{filename} cannot be made: {error.strerror}') from error
    log.info('made a new secret: %s', filename)


# -- login keys ----------------------------------------------------------------

_ONE_KEY = ('it takes file:PATH or env:NAME; a key itself has white space in it, and is kept '
            'in a file or a variable')


def login_private_key(text: str, here: str) -> bytes:
    """The PEM text that ``file:`` or ``env:`` names."""
    from . import jws  # needs the extra; raises ConfigError, a ValueError
    pem = _key(text, here, jws.load_private_key, jws.HOW_TO_MAKE_A_PRIVATE_KEY)
    if text.startswith('file:'):
        _warn_if_public(path_of(text[len('file:'):].strip(), here))
    return pem


def login_public_keys(text: str, here: str) -> tuple[bytes, ...]:
    """The PEM texts, separated by white space."""
    from . import jws
    if not text:
        raise ValueError('it takes at least one key; to let all who have the secret make '
                         'logins, remove the option')
    if sources(text) is None:
        raise ValueError(_ONE_KEY)
    return tuple(_key(each, here, jws.load_public_key, jws.HOW_TO_MAKE_A_PUBLIC_KEY)
                 for each in text.split())


def _key(text: str, here: str, load: Callable[[bytes], object], hint: str) -> bytes:
    """A PEM text, tried out.  Raises ValueError; no sentence shows a key."""
    kind, colon, name = text.partition(':')
    if kind not in ('file', 'env') or not colon or '\n' in text:
        raise ValueError(_ONE_KEY)
    name = name.strip()
    if kind == 'env':
        where, pem = f'the environment variable {name}', _from_environment(name)
    else:
        where = path_of(name, here)
        pem = _from_file(where, hint)
    try:
        load(pem)
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from None
    return pem
