"""
Who the user is, asked when somebody wants to know
==================================================

A filter that gives an application ``environ['session.profile']``: a mapping of
what a back-end XML-RPC server knows of the user who is logged in.  An
application that meets somebody for the first time makes its own record of it.  ::

    [filter:profile]
    use = egg:paste_sessioncookie#profile
    url = http://127.0.0.1:8000/RPC2

Configuration:

    ``url``

        The server, http or https.  User and password may stand in it.

    ``method``

        What to call, with the user as its one argument; it answers a struct
        (``get_profile``).

    ``wait``

        How long to wait for an answer; 2 seconds.

    ``keep``

        How long to remember an answer; 5 minutes.

The server is asked when the mapping is read, and never for an anonymous visitor.
When it is away the profile is empty, and a warning is logged.
"""
from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import addresses, options
from .control import SessionControl
from .environ import PROFILE, REMOTE_USER, Environ, outer_control, user_now
from .errors import ConfigError
from .profileserver import BadAnswer, ProfileServer, ServerAway
from .section import IniSection, Option, scheme
from .seldom import Seldom

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log = logging.getLogger('paste_sessioncookie')

METHOD = 'get_profile'
WAIT = 2            # seconds
KEEP = 5 * 60       # seconds
RETRY = 10          # seconds without a question, after one that was not answered
MAX_USERS = 1000    # that are remembered; 64 KB each, at most


class ProfileFilter:
    """
    The filter that lets an application read the user's profile.

    Constructor arguments: the application; ``url`` and ``method``; ``wait`` and
    ``keep`` in seconds; ``clock``, which gives seconds and is never set back.
    Raises ConfigError.
    """

    def __init__(self, application: WSGIApplication, url: str, method: str = METHOD,
                 wait: float = WAIT, keep: float = KEEP,
                 clock: Callable[[], float] = time.monotonic) -> None:
        try:
            server = ProfileServer(
                addresses.server_url(url, ''), options.method(method, ''), wait)
        except ValueError as error:
            raise ConfigError(f'profile: {error}') from None
        self.application = application
        self.profiles = Profiles(server, keep, clock)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application.  Raises ConfigError without a session_cookie outside."""
        control = outer_control(environ, 'profile')
        environ[PROFILE] = Profile(self.profiles, control, environ.get(REMOTE_USER))
        return self.application(environ, start_response)


middleware = ProfileFilter


class Profile(Mapping[str, Any]):
    """
    ``environ['session.profile']``: what is known of the user, fetched when it is
    first read.

    It is of who is logged in then, and empty for nobody.  It does not hold environ,
    so that no request leaves a reference cycle behind.
    """

    __slots__ = ('_profiles', '_control', '_remote_user', '_found')

    def __init__(self, profiles: Profiles, control: SessionControl,
                 remote_user: object) -> None:
        self._profiles = profiles
        self._control = control
        self._remote_user = remote_user
        self._found: dict[str, Any] | None = None

    def _read(self) -> dict[str, Any]:
        if self._found is None:
            user, _ = user_now(self._control, self._remote_user)
            if user == self._remote_user and not user.isascii():
                user = ''  # not UTF-8 (PEP 3333): as text he would be somebody else
            # a copy: what is remembered serves other requests, too
            self._found = copy.deepcopy(self._profiles.get(user)) if user else {}
        return self._found

    def __getitem__(self, name: str) -> Any:
        return self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (self._read(),)  # a copy is a plain dictionary

    def __repr__(self) -> str:
        # debug pages show environ: neither ask for that, nor tell
        return '<Profile, {}>'.format(
            'not read' if self._found is None else f'{len(self._found)} names')


class Profiles:
    """
    What a server has said of users, remembered for ``keep`` seconds; for several
    threads.

    Who asks for a user whom another thread is just asking for waits for that
    answer.  After a question that was not answered nobody is asked for, for ten
    seconds, and then one question goes first; after a bad answer this user is not.
    """

    def __init__(self, server: ProfileServer, keep: float,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._keep = keep
        self._clock = clock
        self._lock = threading.Lock()
        #: the one that was not read for the longest time comes first
        self._answers: dict[str, _Answer] = {}
        #: None while the server answers; else when to ask again
        self._away_until: float | None = None
        self._seldom = Seldom(clock)

    def get(self, user: str) -> dict[str, Any]:
        """The profile, to be copied; empty where there is none.  Never raises."""
        answer = self._answer(user)
        with answer.lock:
            if answer.until is None:
                answer.profile, seconds = self._ask(user)
                answer.until = self._clock() + seconds
            return answer.profile

    def _answer(self, user: str) -> _Answer:
        """The one that is remembered, or an empty one that is."""
        with self._lock:
            answer = self._answers.pop(user, None)
            if answer is None or answer.until is not None and answer.until <= self._clock():
                answer = _Answer()
            self._answers[user] = answer
            if len(self._answers) > MAX_USERS:
                del self._answers[next(iter(self._answers))]
            return answer

    def _ask(self, user: str) -> tuple[dict[str, Any], float]:
        """A profile, and for how many seconds it holds."""
        if not self._may_ask():
            return {}, 0
        try:
            profile = self._server.ask(user)
        except ServerAway as error:
            self._note(self._clock() + RETRY)
            self._warn(error)
            return {}, 0
        except BadAnswer as error:
            self._note(None)
            self._warn(error)
            return {}, RETRY
        self._note(None)
        return profile, self._keep

    def _may_ask(self) -> bool:
        """Whether the server answers, or it is time to try."""
        with self._lock:
            if self._away_until is not None:
                now = self._clock()
                if now < self._away_until:
                    return False
                self._away_until = now + RETRY  # for the others, while this one tries
            return True

    def _note(self, away_until: float | None) -> None:
        with self._lock:
            self._away_until = away_until

    def _warn(self, error: Exception) -> None:
        log.log(logging.WARNING if self._seldom.due() else logging.DEBUG,
                'the profile server at %s gives no profile: %s', self._server.place, error)


class _Answer:
    """What was said of one user; ``until`` is None before anything was."""

    __slots__ = ('lock', 'profile', 'until')

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.profile: dict[str, Any] = {}
        self.until: float | None = None


OPTIONS = {
    'url': Option(addresses.server_url, show=scheme, required=(
        'write the URL of an XML-RPC server, as in http://127.0.0.1:8000/RPC2')),
    'method': Option(options.method, METHOD),
    'wait': Option(options.patience, WAIT),  # seconds
    'keep': Option(options.duration, KEEP),  # seconds
}


def make_profile(app: WSGIApplication, global_conf: dict[str, Any] | None, /,
                 **local_conf: Any) -> ProfileFilter:
    """
    Paste Deploy entry point: ``egg:paste_sessioncookie#profile``.

    Raises ConfigError with all faults of the section.
    """
    section = IniSection('profile', OPTIONS, global_conf, local_conf)
    return ProfileFilter(app, **section.finish())
