"""A browser, two servers, three applications and an attacker: whatever they do, in any
order, everybody sees what the specification says.

``MACHINE_EXAMPLES=20000 pytest tests/fuzz/test_machine.py`` looks for longer, and each
time elsewhere.
"""
import logging
import os
import re
import secrets
import tempfile
from dataclasses import replace

import byhand
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, PublicFormat)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test)
from model import (
    DELETE, KEYS, LIFETIME, REFUSALS, STATUSES, TIMEOUT, Lists, Login, NotAllowed, Server,
    Unavailable, Visit, candidates)
from world import PLACES, Jar, Job, Request, make_site

from conftest import NAME, START
from paste_sessioncookie import LoginNotAllowed, RevocationUnavailable
from paste_sessioncookie.revocation import MemoryRevocations
from paste_sessioncookie.revocation_sqlite import SQLiteStore

EXAMPLES = int(os.environ.get('MACHINE_EXAMPLES', '0'))
SETTINGS = settings(
    max_examples=EXAMPLES or 150, stateful_step_count=100 if EXAMPLES else 40,
    derandomize=not EXAMPLES, database=None, deadline=None, print_blob=True,
    suppress_health_check=list(HealthCheck))

log = logging.getLogger('paste_sessioncookie')

ERRORS = {NotAllowed: LoginNotAllowed, Unavailable: RevocationUnavailable}

BOB = Login(0, 'bob', (), START, '')  # of whom no server has heard

#: how a browser comes: method, Fetch Metadata, whether a Lax cookie comes along
KINDS = {
    'link': ('GET', {'site': 'same-origin', 'mode': 'navigate', 'dest': 'document'}, True),
    'form': ('POST', {'site': 'same-origin', 'mode': 'navigate', 'dest': 'document'}, True),
    'script': ('POST', {'site': 'same-origin', 'mode': 'cors', 'dest': 'empty'}, True),
    'picture': ('GET', {'site': 'same-origin', 'mode': 'no-cors', 'dest': 'image'}, True),
    'link from elsewhere': (
        'GET', {'site': 'cross-site', 'mode': 'navigate', 'dest': 'document'}, True),
    'form from elsewhere': (
        'POST', {'site': 'cross-site', 'mode': 'navigate', 'dest': 'document'}, False),
    'frame elsewhere': (
        'GET', {'site': 'cross-site', 'mode': 'navigate', 'dest': 'iframe'}, False),
    'old browser': ('GET', {}, True),
    'old form from elsewhere': ('POST', {}, False),
}

values = st.text(st.characters(max_codepoint=0xff), max_size=8).map(
    lambda text: re.sub('[\x00-\x1f\x7f]', '', text))
tokens = st.sampled_from([(), ('staff',), ('staff', 'admin'), ('admin', 'staff')])


def acts(*users):
    """What these users can have applications do for them."""
    named = st.sampled_from(users)
    return st.lists(st.one_of(
        st.tuples(st.sampled_from(['keep', 'regenerate', 'invalidate', 'logout'])),
        st.tuples(st.just('put'), st.sampled_from(KEYS), values),
        st.tuples(st.just('drop'), st.sampled_from(KEYS)),
        st.tuples(st.just('login'), named, tokens, st.booleans()),
        st.tuples(st.just('user'), named | st.just(''), st.none() | tokens),
        st.tuples(st.just('groups'), tokens),
        st.tuples(st.just('revoke'), named, st.sampled_from([1, 1, 2, 70])),
    ), max_size=3)


servers = st.integers(0, 1)
paths = st.sampled_from(sorted(PLACES))
kinds = st.sampled_from(3 * ['link'] + list(KINDS))
picks = st.integers(0, 20)

#: what becomes of one or two cookies, see ``Site.text``
cuts = st.integers(-70, 70)
texts = st.one_of(
    st.tuples(st.just('whole'), picks),
    st.tuples(st.just('cut'), picks, cuts),
    st.tuples(st.just('both'), picks, picks, cuts),
    st.tuples(st.just('tag'), picks, picks),
    st.tuples(st.just('more'), picks, st.sampled_from(['"', ' ', ',x', '.', '\xe9', '%20'])),
    st.tuples(st.sampled_from(['id', 'large']), picks))
TWO = 'both', 'tag'
#: the site's cookie name, and what is not
NAMES = '{}=', '{}=', ' {} =', '{}="', 'a=b,{}=', '{1}=', 'foo='
junk = st.sampled_from([0, 0, 0, 0, 6, 7, 9])
separators = st.sampled_from(['; ', '; ', ';', ',', ' ;\t'])


class Site(RuleBasedStateMachine):
    """One process, and so one clock and one list, whichever filter serves."""

    skewed = False   # the servers' clocks may be up to 60 seconds apart
    apart = False    # each server has a list of its own
    signed = False   # logins are signed, and the second server cannot make any

    def __init__(self):
        super().__init__()
        self.now = START
        self.skews = [0, 0]
        self.jar = Jar()
        self.known = {}      # value -> what it says; all that servers have signed
        self.slow = []       # requests that were admitted
        self.late = []       # Set-Cookie headers on their way to the browser
        self.ids = {}        # ID -> what it stands for
        self.names = {}      # ... and backwards
        self.logins = {}     # ID -> who was logged in under it
        self.made = {None}   # the logins that were made
        self.lines = Lines()
        log.addHandler(self.lines)

    @initialize(name=st.sampled_from([NAME, 'site_session']), issue=st.sampled_from(
        ['always', 'kept']), skews=st.tuples(*2 * [st.sampled_from([-30, -1, 0, 1, 30])]))
    def build(self, name, issue, skews):
        self.name = name
        # lists are named by the secret or the login key: both are new
        self.secret = secrets.token_hex(32)
        self.login_key = Ed25519PrivateKey.generate()
        self.forger = byhand.Hand(self.secret, name)
        if self.skewed:
            self.skews = list(skews)
        shared = Lists()
        self.servers = [
            Server(Lists() if self.apart else shared, not (self.signed and number),
                   issue == 'always') for number in (0, 1)]
        self.sites = []
        for number, engine in enumerate(self.engines()):
            self.sites.append(make_site(
                secret=self.secret, cookie_name=name, issue=issue, timeout=TIMEOUT / 60,
                lifetime=LIFETIME / 60, clock=self.clock(number), revocations=engine,
                **self.login_keys(number)))

    def engines(self):
        return 2 * [MemoryRevocations(self.monotonic)]

    def monotonic(self):
        return self.now

    def login_keys(self, number):
        if not self.signed:
            return {}
        if number:
            return {'login_public_keys': [self.login_key.public_key().public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)]}
        return {'login_private_key': self.login_key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())}

    def teardown(self):
        log.removeHandler(self.lines)

    def clock(self, number):
        def now():
            return float(self.now + self.skews[number])
        return now

    def time_at(self, server):
        return self.now + self.skews[server]

    # -- the victim --------------------------------------------------------

    @rule(server=servers, path=paths, kind=kinds, acts=acts('bob', 'zoë'),
          public=st.booleans())
    def browse(self, server, path, kind, acts, public):
        for header in self.finish(self.admit(server, path, kind, acts, public)):
            self.jar.take(header)

    @rule(server=servers, user=st.sampled_from(['bob', 'zoë']), tokens=tokens)
    def log_in(self, server, user, tokens):
        self.browse(server, '/accounts', 'form', [('login', user, tokens, False)], False)

    @rule(server=servers, path=paths)
    def look(self, server, path):
        self.browse(server, path, 'link', [], False)

    @rule(server=servers, path=paths)
    def log_out(self, server, path):
        self.browse(server, path, 'form', [('logout',)], False)

    @precondition(lambda self: len(self.slow) < 3)
    @rule(server=servers, path=paths, kind=kinds, acts=acts('bob', 'zoë'),
          public=st.booleans())
    def browse_slowly(self, server, path, kind, acts, public):
        self.slow.append(self.admit(server, path, kind, acts, public))

    @rule(server=servers, path=paths, acts=acts('bob', 'zoë'), user=st.sampled_from(
        ['bob', 'zoë']), groups=tokens, end=st.sampled_from(['logout', 'revoke', 'login']))
    def overtake(self, server, path, acts, user, groups, end):
        """While a slow request is served, another one ends the login."""
        self.log_in(server, user, ('staff',))
        slow = self.admit(server, path, 'link', [('groups', groups), *acts], False)
        ends = {'logout': ('logout',), 'revoke': ('revoke', user, 1),
                'login': ('login', user, (), True)}
        self.browse(1 - server, '/accounts', 'form', [ends[end]], False)
        self.late += self.finish(slow)

    @precondition(lambda self: self.slow)
    @rule(pick=picks)
    def act(self, pick):
        self.late += self.finish(self.slow.pop(pick % len(self.slow)))

    @precondition(lambda self: self.late)
    @rule(pick=picks)
    def arrive(self, pick):
        self.jar.take(self.late.pop(pick % len(self.late)))

    def admit(self, server, path, kind, acts, public):
        method, fetch, with_cookies = KINDS[kind]
        cookie = self.jar.header(path) if with_cookies else ''
        return self.request(server, path, method, fetch, cookie, acts, public)

    # -- the attacker ------------------------------------------------------

    @rule(server=servers, path=paths, kind=kinds, acts=acts('eve'), pairs=st.lists(
        st.tuples(st.sampled_from(NAMES), texts), max_size=3), junk=junk, separator=separators)
    def attack(self, server, path, kind, acts, pairs, junk, separator):
        """Sends what he has, however he likes; he is a program, not a browser."""
        method, fetch, _ = KINDS[kind]
        header = separator.join(
            [name.format(self.name, self.name.lower()) + self.text(*text)
             for name, text in pairs]
            + [f'{self.name}=junk{number}' for number in range(junk)])
        self.finish(self.request(server, path, method, fetch, header, acts, False))

    @precondition(lambda self: self.known)
    @rule(server=servers, path=paths, pick=picks, acts=acts('eve'))
    def replay(self, server, path, pick, acts):
        """Sends a copy of a cookie, an old one or a new one, his own or not."""
        header = f'{self.name}={self.text("whole", pick)}'
        self.finish(self.request(server, path, *KINDS['script'][:2], header, acts, False))

    @rule(text=texts, name=st.sampled_from(['{}', '{}', 'foo=x,{}', 'foo="; {}', '{} ']),
          attributes=st.sampled_from([
              '; Path=/; Secure', '; Path=/; Domain=example.org', '; Path=/shop; Secure',
              '; Path=/accounts; Domain=example.org']))
    def plant(self, text, name, attributes):
        """In the victim's browser: from a sibling site, or by hand."""
        self.jar.take(f'{name.format(self.name)}={self.text(*text)}{attributes}')

    def text(self, how, *what):
        """What can be made of all cookies that there ever were."""
        values = list(self.known) or ['1.00000000.a.b']
        picked = [values[-1 - pick % len(values)] for pick in what[:1 + (how in TWO)]]
        rest = what[len(picked):]
        if how == 'cut':
            return picked[0][:rest[0]]
        if how == 'both':
            return picked[0][:rest[0]] + picked[1][rest[0]:]
        if how == 'tag':
            return picked[0][:-64] + picked[1][-64:]
        if how == 'id':
            return (list(self.ids) or ['0' * 40])[-1 - what[0] % max(1, len(self.ids))]
        form = {'whole': '{}', 'more': '{}{}', 'large': 'x' * 4100}[how]
        return form.format(picked[0], *rest)

    @precondition(lambda self: self.signed and self.known)
    @rule(pick=picks, other=picks, how=st.sampled_from(
        ['renew', 'longer', 'plain', 'splice', 'nobody']))
    def forge(self, pick, other, how):
        """Whoever has the cookie's secret, but not the key of logins."""
        value, other = self.text('whole', pick), self.text('whole', other)
        says = self.known[value]
        changes, parts = self.forgery(says, self.known[other], other, how)
        if parts:
            forged = self.forger.change(value, **parts)
            self.known.setdefault(forged, replace(says, **changes))

    def forgery(self, says, other_says, other, how):
        if how == 'renew':
            now = max(self.now, says.created)
            return ({'issued': now, 'idle': now + TIMEOUT},
                    {'issued': now, 'idle': now + TIMEOUT})
        if how == 'longer':
            end = says.absolute + LIFETIME
            return {'absolute': end, 'spliced': True}, {'absolute': end}
        plain = f'{"0" * 32}:{says.created}::bob:'
        login = {'plain': plain, 'splice': byhand.part(other, 'login')}.get(how, '')
        if how == 'nobody' or not login or other_says.login is None and how == 'splice':
            return {}, {}
        same = (how == 'splice' and (says.base, says.absolute)
                == (other_says.base, other_says.absolute))
        return ({'login': other_says.login or BOB, 'spliced': not same or other_says.spliced},
                {'login': login})

    # -- what happens to servers -------------------------------------------

    @rule(seconds=st.sampled_from(
        [1, 30, 59, 60, 61, 120, 121, 899, 900, 901, 1799, 1800, 20000]))
    def wait(self, seconds):
        self.now += seconds

    # -- a request, in the site and in the model ---------------------------

    def request(self, server, path, method, fetch, cookie, acts, public):
        job = Job(acts, public)
        real = Request(self.sites[server], path, method, cookie, fetch, job)
        found = [self.known.get(value) for value in candidates(cookie, self.name)]
        visit = Visit(self.servers[server], PLACES[path], found, self.time_at(server))
        self.check_admitted(job.seen, visit)
        return server, real, visit, method, fetch

    def check_admitted(self, seen, visit):
        status, login = seen['status'], visit.session.login
        assert status == visit.status or not visit.status and status in REFUSALS
        assert status in STATUSES
        assert seen['namespace'] == visit.place.namespace
        assert seen['identity'] in self.made
        native = login and login.user.encode().decode('latin-1')
        groups = ','.join(login.tokens) or None if login else None
        assert (seen['REMOTE_USER'], seen['REMOTE_USER_TOKENS']) == (native, groups)
        assert seen['AUTH_TYPE'] == (login and 'cookie')
        assert seen['values'] == visit.values
        self.check_shown(seen, visit)
        # no ID survives a login, or a log-out, and none is two visitors'
        assert self.logins.setdefault(seen['id'], seen['identity']) == seen['identity']

    def check_shown(self, seen, visit):
        """What the control shows, also in between."""
        login = visit.session.login
        assert seen['identity'] == (login and (login.user, login.tokens, login.at, login.by))
        assert seen['new'] is visit.new
        self.check_id(seen['id'], visit.name)
        self.check_id(seen['previous_id'], visit.previous_name)

    def check_id(self, session_id, name):
        """Each ID stands for one thing, and each thing has one ID."""
        assert (session_id is None) is (name is None)
        if name is not None:
            assert re.fullmatch('[0-9a-f]{40}', session_id)
            assert self.ids.setdefault(session_id, name) == name
            assert self.names.setdefault(name, session_id) == session_id

    def finish(self, request):
        server, real, visit, method, fetch = request
        cookies = real.finish()
        # no secret, tag, ID or key is in the log
        assert not re.search('[0-9a-f]{16}', self.lines.take())
        self.check_acts(real.job, visit, self.time_at(server))
        visit.idiom()
        expected = visit.answer(fetch, method, real.job.public)
        assert real.header_names.count('Vary') == 1
        assert len(cookies) == (expected is not None)
        if cookies:
            self.check_cookie(cookies[0], expected)
            assert ('Cache-Control', 'private') in real.headers or real.job.public and (
                'Cache-Control', 'private, max-age=60') in real.headers
        return cookies

    def check_acts(self, job, visit, now):
        for (verb, *arguments), (result, seen) in zip(job.acts, job.after, strict=True):
            assert result == perform(visit, now, verb, arguments)
            self.check_shown(seen, visit)

    def check_cookie(self, header, expected):
        pair, _, attributes = header.partition('; ')
        name, _, value = pair.partition('=')
        assert name == self.name
        if expected == DELETE:
            assert value == '' and 'Max-Age=0' in attributes
            return
        assert attributes == 'Path=/; HttpOnly; SameSite=Lax; Secure'
        assert self.known.setdefault(value, expected) == expected
        login = expected.login
        if login is not None:
            self.made.add((login.user, login.tokens, login.at, login.by))
        # what applications see is not in the cookie
        assert not any(session_id in value for session_id in list(self.ids)[-3:])


def perform(visit, now, verb, arguments):
    """An act, in the model."""
    try:
        if verb == 'put':
            visit.values[arguments[0]] = arguments[1]
        elif verb == 'drop':
            visit.values.pop(arguments[0], None)
        elif verb == 'user':
            visit.user, groups = arguments
            visit.tokens = visit.tokens if groups is None else groups
        elif verb == 'groups':
            [visit.tokens] = arguments
        elif verb == 'revoke':
            for _ in range(arguments[1]):
                visit.revoke(arguments[0], now)
        else:
            return getattr(visit, verb)(*arguments)
    except (NotAllowed, Unavailable) as error:
        return ERRORS[type(error)]


class Lines(logging.Handler):
    """What was logged."""

    def __init__(self):
        super().__init__()
        self.said = []

    def emit(self, record):
        self.said.append(record.getMessage())

    def take(self):
        lines, self.said = self.said, []
        return '\n'.join(lines)


class SharedFile(Site):
    """Two processes that share a list; somebody corrects their clocks now and then."""

    skewed = True
    path = ''

    def engines(self):
        self.stores = [SQLiteStore(self.path) for _ in range(2)]
        self.stores[0].prepare()
        return self.stores

    @rule(server=servers, skew=st.sampled_from([-30, -1, 0, 1, 30]))
    def correct(self, server, skew):
        self.skews[server] = skew

    def teardown(self):
        super().teardown()
        for store in getattr(self, 'stores', ()):
            store.close()


class Signed(SharedFile):
    """Likewise, and only one of them can make logins; the attacker has the secret."""

    signed = True


class Apart(Site):
    """Two processes, each with a list of its own, which is away at times."""

    skewed = apart = True

    def engines(self):
        return [Flaky(MemoryRevocations(self.monotonic), server.lists)
                for server in self.servers]

    @rule(server=servers, down=st.booleans())
    def switch(self, server, down):
        self.servers[server].lists.down = down


class Flaky:
    """A deployer's own engine, which is away when the model says so."""

    def __init__(self, engine, lists):
        self.engine, self.lists = engine, lists

    def __getattr__(self, name):
        if self.lists.down:
            raise RevocationUnavailable('away')
        return getattr(self.engine, name)


@pytest.mark.parametrize('machine', [Site, SharedFile, Signed, Apart])
def test_machine(machine, monkeypatch):
    """Whatever happens, the real site does what the model of the specification does."""
    shm = '/dev/shm' if os.path.isdir('/dev/shm') else None  # the disk is not what is tried
    with tempfile.TemporaryDirectory(dir=shm) as directory:
        monkeypatch.setattr(log, 'propagate', False)  # a handler here looks at all of it
        monkeypatch.setattr(SharedFile, 'path', f'{directory}/revoked.sqlite')
        run_state_machine_as_test(machine, settings=SETTINGS)
