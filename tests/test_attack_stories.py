"""
Attacks of more than one request
================================

What takes several steps, two servers, or a clock that is set.  Attacks of one request
are data (``tests/attacks``); slow responses that would bring a login back are raced in
``test_race.py``, secrets that change under load in ``test_rollout.py``, ``came_from`` is
in ``test_requirelogin.py``, and what takes a browser in ``test_attack_browser.py``.
"""
import itertools
import json

import pytest
from paste.urlmap import URLMap

import configapps
from attack_corpus import NAME, TESTS
from conftest import START, Clock, Visitor, login, logout, put
from paste_sessioncookie import (
    ConfigError, LoginNotAllowed, Namespace, RevocationUnavailable, SessionCookieHandler,
    engines)
from paste_sessioncookie.cookie import make_session_cookie
from paste_sessioncookie.requirelogin import RequireLogin
from paste_sessioncookie.revocation import MemoryRevocations

PATHS = ('/accounts', '/blog', '/wiki', '/plain')
DAY = 86400  # seconds


def urls(app):
    """Four applications of one site: the one that logs in, two more, one without a name."""
    result = URLMap()
    result['/accounts'] = Namespace(app, login=True)
    result['/blog'] = Namespace(app)
    result['/wiki'] = Namespace(app)
    result['/plain'] = app
    return result


class Server:
    """One server of a site, with a clock of its own, and a list of revocations."""

    def __init__(self, secret, revocations='memory', ahead=0, app=configapps.facts, **more):
        self.clock = Clock()
        self.clock.move(ahead)
        self.site = SessionCookieHandler(
            urls(app), secret=secret, clock=self.clock,
            revocations=revocations, **more)


class Person(Visitor):
    """A browser that goes from server to server, and notes all that it ever had."""

    def __init__(self, cookie=None):
        self.cookie = cookie
        self.set_cookies = []
        self.had = [] if cookie is None else [cookie]   # cookies
        self.ids = set()                                # session IDs

    def at(self, server, path, **environ):
        """What the application saw of a request."""
        self.app = server.site
        saw = self.get(path, **environ).json
        if self.cookie and self.cookie not in self.had:
            self.had.append(self.cookie)
        self.ids.add(saw['id'])
        return saw

    def visits(self, server):
        """What all applications saw."""
        return [self.at(server, path) for path in PATHS]


def users(seen):
    return {saw['user'] for saw in seen}


@pytest.fixture
def server(secret):
    return Server(secret)


@pytest.fixture
def servers(secret, tmp_path):
    """Two servers of one site, which share secret and list, 60 seconds apart."""
    shared = engines.revocation(f'sqlite:{tmp_path}/revoked.sqlite', '')
    return Server(secret, shared), Server(secret, shared, ahead=60)


class TestFixation:
    """Who plants a session does not have the one that it becomes."""

    @pytest.mark.parametrize('visited', [(), *((path,) for path in PATHS), PATHS])
    def test_planted_before_the_login(self, server, visited):
        """Through whichever namespaces the attacker has made himself at home: after the
        login no ID that he knows is anybody's."""
        attacker = Person()
        attacker.at(server, '/blog')
        for path in visited:
            attacker.at(server, f'{path}?keep=&theme=planted')
        victim = Person(attacker.cookie)
        victim.at(server, '/accounts?login=bob')
        seen = victim.visits(server)
        attacker.visits(server)
        assert users(seen) == {'bob'} and {saw['theme'] for saw in seen} == {None}
        assert not attacker.ids & {saw['id'] for saw in seen}
        assert users(attacker.visits(server)) == {None}

    def test_planted_with_salts(self, secret, probe):
        """Salts of the attacker's choice in the planted cookie go with it."""
        server = Server(secret, app=probe)
        attacker = Visitor(server.site)
        probe.act = regenerate
        known = set()
        for path in PATHS:
            attacker.get(path)
            known.add(probe.result)
        victim = Visitor(server.site)
        victim.cookie = attacker.cookie
        probe.act = login()
        victim.get('/accounts')
        probe.act = None
        for path in PATHS:
            victim.get(path)
            assert probe.id not in known and probe.control.previous_id is None
            known.add(probe.id)
        assert len(known) == 2 * len(PATHS)

    def test_a_login_planted(self, server):
        """Who logs in over the attacker's own login ends that, in all its copies."""
        eve = Person()
        eve.at(server, '/accounts?login=eve')
        victim = Person(eve.cookie)
        victim.at(server, '/accounts?login=bob')
        assert users(victim.visits(server)) == {'bob'}
        assert {saw['status'] for saw in eve.visits(server)[:1]} == {'revoked'}
        assert not eve.ids & victim.ids - {eve.at(server, '/blog')['id']}

    def test_planted_before_the_log_out(self, server):
        """After a log-out, everybody who has a copy is somewhere else."""
        victim = Person()
        victim.at(server, '/accounts?login=bob')
        thief = Person(victim.cookie)
        thief.visits(server)
        victim.at(server, '/blog?logout=')
        after = {saw['id'] for saw in victim.visits(server)}
        assert not after & thief.ids
        thief.ids.clear()
        thief.visits(server)
        assert not after & thief.ids

    def test_an_id_of_ones_own(self, server):
        """No ID comes from a request: not from the query, a header, or a cookie."""
        wanted = 'ab' * 20
        for cookie in (f'{NAME}={wanted}', f'session.id={wanted}', f'session_id={wanted}'):
            saw = Person(cookie).at(
                server, f'/blog?session.id={wanted}',
                HTTP_SESSION_ID=wanted, **{'HTTP_SESSION.ID': wanted})
            assert saw['id'] != wanted and saw['new']


def regenerate(environ):
    return str(environ['session.control'].regenerate())


class TestReplay:
    """What was ended stays ended, whoever has a copy."""

    def test_every_copy(self, servers):
        """Of all cookies that a browser ever had, none is a login after the log-out, at
        any server, in any application; none has an ID of the login."""
        victim = Person()
        victim.visits(servers[0])
        victim.at(servers[1], '/accounts?login=bob')
        ids = {saw['id'] for saw in victim.visits(servers[0])}
        for minutes in (0, 20, 40):
            for server in servers:
                server.clock.now = START + 60 * minutes
                victim.at(server, f'/blog?theme=at{minutes}')
        victim.at(servers[0], '/wiki?logout=')
        assert len(victim.had) > 4
        for cookie, server, path in itertools.product(victim.had, servers, PATHS):
            saw = Person(cookie).at(server, path)
            assert saw['user'] is None and saw['id'] not in ids and saw['theme'] is None

    def test_a_copy_is_no_way_to_stay(self, servers):
        """Who has a copy can use it as long as its owner: to the end of the lifetime, and
        not a second longer, however often he has it renewed."""
        thief = Person()
        thief.at(servers[0], '/accounts?login=bob')
        begin = servers[0].clock.now
        while servers[0].clock.now < begin + 12 * 3600:
            assert thief.at(servers[0], '/blog')['user'] == 'bob'
            servers[0].clock.move(20 * 60)
        assert len(thief.had) > 20
        for cookie in thief.had:
            assert Person(cookie).at(servers[0], '/blog')['status'] == 'expired-absolute'

    def test_an_old_copy(self, server):
        """A copy from before is void after one timeout, though its owner's goes on."""
        bob = Person()
        bob.at(server, '/accounts?login=bob')
        copy = bob.cookie
        server.clock.move(16 * 60)
        bob.at(server, '/blog')
        server.clock.move(15 * 60)
        assert Person(copy).at(server, '/blog')['status'] == 'expired-idle'
        assert bob.at(server, '/blog')['user'] == 'bob'

    def test_parts_of_two_sessions(self, server):
        """Halves of two cookies of one's own do not make a third."""
        eve = Person()
        eve.at(server, '/accounts?login=eve')
        eve.at(server, '/blog?theme=dark')
        nobody = Person()
        nobody.at(server, '/blog')
        halves = [cookie.partition('=')[2].replace('.', '!').split('!')
                  for cookie in (eve.cookie, nobody.cookie)]
        for place in range(3, len(halves[1])):   # version and key ID are the same
            mixed = halves[0][:place] + halves[1][place:]
            value = '.'.join([*mixed[:2], '!'.join(mixed[2:-1]), mixed[-1]])
            assert Person(f'{NAME}={value}').at(server, '/blog')['status'] == 'bad-signature'


class TestClocks:
    """Clocks that differ, and clocks that are set."""

    @pytest.mark.parametrize('first', [0, 1])
    def test_60_seconds_apart(self, servers, first):
        """Logged in on one server one is in on the other; logged out on one, out."""
        here, there = servers[first], servers[1 - first]
        bob = Person()
        bob.at(here, '/accounts?login=bob')
        assert users(bob.visits(there) + bob.visits(here)) == {'bob'}
        copy = bob.cookie
        bob.at(there, '/blog?logout=')
        for server in servers:
            assert Person(copy).at(server, '/blog')['status'] == 'revoked'

    @pytest.mark.parametrize('first', [0, 1])
    def test_revoke_60_seconds_apart(self, servers, first, probe):
        """revoke() on one server reaches a login that the other has dated ahead, made
        before it; a login after it counts on both."""
        here, there = servers[first], servers[1 - first]
        bob = Person()
        bob.at(here, '/accounts?login=bob')
        there.site.application = urls(revoking)
        Person().at(there, '/accounts')
        there.site.application = urls(configapps.facts)
        for server in servers:
            assert Person(bob.cookie).at(server, '/blog')['status'] == 'revoked'
        here.clock.move(1)   # to the second, the slower one cannot date so far ahead
        there.clock.move(1)
        for server in servers:
            again = Person()
            again.at(server, '/accounts?login=bob')
            assert users(again.visits(here) + again.visits(there)) == {'bob'}

    @pytest.mark.parametrize('engine', ['', 'sqlite:{}/revoked.sqlite'])
    @pytest.mark.parametrize('step', [-DAY, -3600, 3600, DAY, 366 * DAY])
    def test_a_clock_that_steps(self, secret, tmp_path, engine, step):
        """While a clock is wrong, and when it is right again, nobody is back who has
        logged out, whatever is revoked meanwhile."""
        # in memory entries go once a minute, by a clock that nobody sets
        server = Server(secret, engine and engines.revocation(engine.format(tmp_path), '')
                        or MemoryRevocations(itertools.count(0, 61).__next__))
        bob = Person()
        bob.at(server, '/accounts?login=bob')
        copy = bob.cookie
        bob.at(server, '/accounts?logout=')
        for move in (step, -step, step, -step):
            server.clock.move(move)
            assert users(Person(copy).visits(server)) == {None}
            other = Person()
            other.at(server, '/accounts?login=eve')
            other.at(server, '/accounts?logout=')
        assert Person(copy).at(server, '/blog')['status'] == 'revoked'

    @pytest.mark.parametrize('step', [-DAY, -3600, -61])
    def test_back_and_forth(self, server, step):
        """A clock that is set back makes cookies of the future: nobody is anybody, and
        nothing is longer good when it is right again."""
        bob = Person()
        bob.at(server, '/accounts?login=bob')
        copy = bob.cookie
        server.clock.move(step)
        saw = Person(copy).at(server, '/blog')
        assert (saw['user'], saw['status']) == (None, 'malformed')
        server.clock.move(-step)
        assert Person(copy).at(server, '/blog')['user'] == 'bob'
        server.clock.move(1800)
        assert Person(copy).at(server, '/blog')['status'] == 'expired-idle'

    def test_a_login_of_a_fast_clock(self, servers):
        """What a server signed while its clock was a day ahead is good nowhere else, and
        when its time has come, for one lifetime at most."""
        slow, fast = servers
        fast.clock.move(DAY)
        bob = Person()
        bob.at(fast, '/accounts?login=bob')
        assert Person(bob.cookie).at(slow, '/blog')['status'] == 'malformed'
        slow.clock.move(DAY + 60 + 12 * 3600)
        assert Person(bob.cookie).at(slow, '/blog')['status'] == 'expired-absolute'


def revoking(environ, start_response):
    environ['session.control'].revoke('bob')
    return configapps.facts(environ, start_response)


class TestDowngrade:
    """An older secret opens no more than the newer one."""

    OLD, NEW = 'the secret of yesterday, and of the backups', 'the secret of today, and of nobody else'

    def test_logged_out_under_the_old_secret(self, tmp_path):
        """A login that was ended before the secret changed does not come back with it;
        nor do copies that the old secret signed of one that was ended afterwards."""
        shared = engines.revocation(f'sqlite:{tmp_path}/revoked.sqlite', '')
        before = Server(self.OLD, shared, accept_secrets=[self.NEW])
        after = Server(self.NEW, shared, accept_secrets=[self.OLD])
        ended, going = Person(), Person()
        ended.at(before, '/accounts?login=bob')
        going.at(before, '/accounts?login=ann')
        ended.at(before, '/accounts?logout=')
        assert Person(ended.had[0]).at(after, '/blog')['status'] == 'revoked'
        assert going.at(after, '/blog')['status'] == 'renewed'
        going.at(after, '/blog?logout=')
        for cookie, server in itertools.product(going.had, (before, after)):
            assert Person(cookie).at(server, '/blog')['user'] is None

    def test_leaked_and_removed(self):
        """Who has the old secret makes nothing that counts once it is removed, and his
        cookie lends nothing to the fresh session."""
        thief = Server(self.OLD)
        forged = Person()
        forged.at(thief, '/accounts?login=admin')
        forged.at(thief, '/plain?theme=evil')
        site = Server(self.NEW)
        known = set(forged.ids)
        saw = forged.visits(site)
        assert users(saw) == {None} and saw[0]['status'] == 'unknown-key'
        assert not known & {each['id'] for each in saw}
        assert {each['theme'] for each in saw} == {None}

    def test_leaked_and_still_accepted(self):
        """The limit, and why a leaked secret is removed and not moved to accept_secrets:
        there it makes any login."""
        forged = Person()
        forged.at(Server(self.OLD), '/accounts?login=admin')
        site = Server(self.NEW, accept_secrets=[self.OLD])
        assert forged.at(site, '/blog')['user'] == 'admin'


#: keys that a cookie must not write, from the corpus
SMUGGLED = sorted({
    part.split('::')[1].partition('=')[0]
    for case in json.loads((TESTS / 'attacks' / 'environ.json').read_text('ascii'))['cases']
    for part in case['payload'].get('sections', ()) if '|' not in part} - {'REMOTE_USER', 'weblog.theme'})
#: those of the infrastructure, which the deployer must not list either
SERVERS = [key for key in SMUGGLED
           if key.startswith(('HTTP', 'SSL_', 'wsgi.', 'session.', 'REMOTE_ADDR', 'REMOTE_HOST'))
           or key.startswith(('CONTENT_', 'PATH', 'QUERY_', 'REQUEST_', 'SCRIPT_', 'SERVER_'))]


class TestSmuggling:
    """What a cookie may write into environ, whoever asks for it."""

    @pytest.mark.parametrize('key', SMUGGLED)
    def test_append(self, visitor, probe, key):
        """An application that lets the visitor name the key cannot be made to carry one of
        the server's."""
        def act(environ):
            environ['paste.auth.cookie'].append(key)
            environ[key] = 'evil'
        probe.act = act
        with pytest.raises(ValueError, match='cannot travel'):
            visitor.get()
        probe.act = None
        visitor.get()
        assert probe.environ.get(key) != 'evil'

    def test_scanlist(self, secret):
        """A deployer who lists what only a server can know is told all of it, at load."""
        with pytest.raises(ConfigError) as error:
            make_session_cookie(None, {}, secret=secret, scanlist=' '.join(SERVERS))
        assert len(SERVERS) > 20
        assert [key for key in SERVERS if f'{key}: ' not in str(error.value)] == []

    def test_headers(self, server):
        """No request header is any of our keys: gateways put HTTP_ in front."""
        saw = Person().at(server, '/blog', HTTP_REMOTE_USER='admin', HTTP_AUTH_TYPE='cookie',
                          HTTP_SESSION_CONTROL='x', HTTP_X_REMOTE_USER='admin',
                          HTTP_PASTE_AUTH_COOKIE='REMOTE_USER')
        assert saw['user'] is None and saw['status'] == 'new'

    @pytest.mark.parametrize('path', [
        '/blog', '/blog/', '/blog//', '/blog/../wiki', '/blog/..%2Fwiki', '/blog;x', '/BLOG',
        '//blog', '/./blog', '/blog%00', '/blog%0d%0aX:y', '/bl%6fg', '/blog%2f', '/blog?/wiki'])
    def test_paths(self, server, path):
        """However the path is written, an application has its own name or is not called."""
        visitor = Visitor(server.site)
        response = visitor.get(path)
        assert response.status_int == 404 or response.json['namespace'] == '/blog'


class TestTossing:
    """Cookies that a sibling host sets for the whole domain."""

    def test_nobody_is_locked_out(self, server):
        """Who is tossed a good cookie of the attacker's is anonymous while there are two,
        and not longer: the tossed one is not renewed, and the next login counts."""
        bob, eve = Person(), Person()
        bob.at(server, '/accounts?login=bob')
        eve.at(server, '/accounts?login=eve')
        tossed = eve.cookie
        both = {'HTTP_COOKIE': f'{tossed}; {bob.cookie}'}
        for _ in range(3):
            saw = bob.at(server, '/blog', **both)
            assert (saw['user'], saw['status']) == (None, 'conflict') and not bob.set_cookies
            server.clock.move(10 * 60)
        # both are over now; the browser gets a fresh one, beside the tossed one
        both['HTTP_COOKIE'] = f'{tossed}; {bob.cookie}'
        assert bob.at(server, '/blog', **both)['status'] == 'expired-idle'
        both['HTTP_COOKIE'] = f'{tossed}; {bob.cookie}'
        bob.at(server, '/accounts?login=bob', **both)
        both['HTTP_COOKIE'] = f'{tossed}; {bob.cookie}'
        assert bob.at(server, '/blog', **both)['user'] == 'bob'

    def test_a_basket_is_not_filled_for_another(self, server):
        """What is done while there are two good cookies is done in neither session."""
        bob, eve = Person(), Person()
        bob.at(server, '/accounts?login=bob')
        eve.at(server, '/accounts?login=eve')
        both = {'HTTP_COOKIE': f'{bob.cookie}; {eve.cookie}'}
        saw = Person().at(server, '/blog?theme=dark&keep=', **both)
        known = {each['id'] for person in (bob, eve) for each in person.visits(server)}
        assert saw['id'] not in known
        assert {person.at(server, '/blog')['theme'] for person in (bob, eve)} == {None}


class TestCrossSite:
    """Requests that another site's page has the browser send."""

    # a form, or a link, in a window of its own
    ELSEWHERE = {'HTTP_SEC_FETCH_SITE': 'cross-site', 'HTTP_SEC_FETCH_MODE': 'navigate',
                 'HTTP_SEC_FETCH_DEST': 'document'}

    @pytest.mark.parametrize('issue', ['always', 'kept'])
    def test_a_form_logs_nobody_out(self, secret, probe, issue):
        """A form post from elsewhere comes without a Lax cookie; nothing that the
        application does short of a login puts another in its place."""
        server = Server(secret, app=probe, issue=issue)
        for act in (None, keep, put('weblog.theme', 'dark'), regenerate, logout):
            probe.act = act
            visitor = Visitor(server.site)
            visitor.post('/blog', **self.ELSEWHERE)
            assert visitor.set_cookies == []

    def test_a_link_over_plain_http(self, secret, probe):
        """The limit of ``samesite = Strict`` where browsers say nothing of themselves, as
        they do over plain http: a link from elsewhere comes without the cookie, looks like a
        first visit, and so logs the visitor out.  Lax cookies come along."""
        for metadata, sent in (({}, 1), (self.ELSEWHERE, 0)):
            visitor = Visitor(Server(secret, app=probe, samesite='Strict').site)
            visitor.get('/blog', HTTP_REFERER='http://evil.example/', **metadata)
            assert len(visitor.set_cookies) == sent

    def test_login_csrf_is_the_login_pages_business(self, secret, probe):
        """The limit: an application that logs in whoever posts a password, from wherever,
        logs the victim in as the attacker.  Its form needs a token."""
        visitor = Visitor(Server(secret, app=probe).site)
        probe.act = login('eve')
        visitor.post('/accounts', **self.ELSEWHERE)
        assert len(visitor.set_cookies) == 1

    def test_require_login_sends_no_form_on(self, secret, probe):
        """What was posted is not sent on to the login page, and not to elsewhere."""
        server = Server(secret, app=RequireLogin(probe, '/accounts/login'))
        response = Visitor(server.site).post('/blog?came_from=//evil.example', **self.ELSEWHERE)
        assert response.status_int == 401 and 'Location' not in response.headers


def keep(environ):
    environ['session.control'].keep()


class TestOneTrustDomain:
    """What one application of the site can do to another, and what it cannot."""

    def test_what_it_receives_it_can_use(self, server):
        """The limit: the cookie is a bearer credential at every application that gets it."""
        bob = Person()
        bob.at(server, '/accounts?login=bob')
        stolen = []

        def thief(environ, start_response):
            stolen.append(environ['HTTP_COOKIE'])
            return configapps.facts(environ, start_response)
        server.site.application['/wiki'] = Namespace(thief)
        bob.at(server, '/wiki')
        assert Person(stolen[0]).at(server, '/accounts')['user'] == 'bob'

    def test_what_it_cannot(self, secret, probe):
        """Through the protocol an application without ``login = true`` logs nobody in,
        revokes nobody, reads no other's values, and knows no other's ID."""
        server = Server(secret, app=probe)
        bob = Visitor(server.site)
        probe.act = login('bob')
        bob.get('/accounts')
        probe.act = put('weblog.theme', 'dark')
        bob.get('/blog')
        others_id = probe.id

        def act(environ):
            control = environ['session.control']
            for call in (control.login, control.revoke):
                with pytest.raises(LoginNotAllowed):
                    call('admin')
            assert 'weblog.theme' not in environ and control.id != others_id
            environ.update(REMOTE_USER='admin', REMOTE_USER_TOKENS='staff')
            environ['session.id'] = others_id
        probe.act = act
        bob.get('/wiki')
        probe.act = None
        for path in PATHS:
            bob.get(path)
            assert probe.environ['REMOTE_USER'] == 'bob'
            assert 'REMOTE_USER_TOKENS' not in probe.environ

    def test_an_id_is_no_cookie(self, server):
        """A session ID, as it stands in a framework's store or log, opens nothing."""
        bob = Person()
        bob.at(server, '/accounts?login=bob')
        for saw in bob.visits(server):
            for value in (saw['id'], f'1.{saw["id"]}', f'1.00000000.{saw["id"]}!!!!!!!.{"0" * 64}'):
                assert Person(f'{NAME}={value}').at(server, '/blog')['user'] is None


class Unreachable:
    """An engine that somebody keeps from answering."""

    def _fail(self, *args):
        raise RevocationUnavailable('away')

    revoke_login = revoke_user = is_revoked = revoked_up_to = _fail


def test_a_list_that_is_kept_away(secret):
    """Who takes the revocation list down gains no login, also no old one: none counts,
    and nobody's cookie is thrown away for it."""
    server = Server(secret)
    bob = Person()
    bob.at(server, '/accounts?login=bob')
    copy = bob.cookie
    bob.at(server, '/accounts?logout=')
    down = Server(secret, Unreachable())
    thief = Person(copy)
    seen = thief.visits(down)
    assert users(seen) == {None} and {saw['status'] for saw in seen} == {'unavailable'}
    assert thief.cookie == copy and not {saw['id'] for saw in seen} & bob.ids
