"""What every adapter promises, with the real framework behind the real filter.

An adapter's test is a subclass of :class:`Contract` with three functions, and
a fourth where the framework's session has no ``invalidate()``.
"""
from __future__ import annotations

import contextlib
import logging
import threading

import pytest
from conftest import Visitor, login, logout

from paste_sessioncookie import Namespace, frameworks


class Contract:
    """
    ``session`` is the framework's own session object, as its users have it in
    a request: at least ``[key]``, ``[key] = value``, ``del`` and ``in``.
    """

    def application(self, view, carry=()):
        """A WSGI application of the framework that answers every request, of
        any method and path, with status 200 and the text ``view(session)``.

        Each call makes an instance of its own, over the store of this test.
        If ``view`` returns an iterator, it is the body, and is streamed.  What
        it raises is an error of the framework's view.
        """
        raise NotImplementedError

    def renew(self, session):
        """Give the session a new ID, as the framework does at a login."""
        raise NotImplementedError

    def records(self):
        """The IDs, as the application sees them, that have a record in the store."""
        raise NotImplementedError

    def end(self, session):
        """End the session, as the framework does at a log-out."""
        session.invalidate()

    # -- the site ----------------------------------------------------------

    @pytest.fixture(autouse=True)
    def _quiet(self, caplog):
        """No session ID is in any line of the log."""
        self.seen_ids = set()
        frameworks._warn_detached.cache_clear()
        caplog.set_level(logging.DEBUG)
        yield
        # at this time caplog.text is that of the fixtures' end
        format = logging.Formatter().format  # with tracebacks
        text = '\n'.join(map(format, caplog.get_records('call')))
        for session_id in self.seen_ids:
            assert session_id not in text

    @pytest.fixture
    def site(self, make_site):
        """Builds a site around the framework's application, with what else
        ``make_site`` takes; ``around`` is put right around the application."""
        def make(view, carry=(), around=None, **options):
            self.view = view
            inner = self.application(self._call_view, carry)
            self.inner = inner if around is None else around(inner)
            return make_site(self._outermost, **options)
        return make

    def _outermost(self, environ, start_response):
        """Keeps what the application had, for the test to look at."""
        self.control = environ['session.control']
        self.seen_ids.add(str(environ['session.id']))
        try:
            return self.inner(environ, start_response)
        finally:
            self.seen_ids.add(str(self.control.id))
            with contextlib.suppress(OSError):  # a test may take the store away
                self.seen_ids |= self.records()  # within a namespace, other IDs

    def _call_view(self, session):
        result = self.view(session)
        return 'ok' if result is None else result

    def ask(self, visitor, view, **environ):
        """The text of the response to a view."""
        self.view = view
        response = visitor.get(**environ)
        assert response.status_int == 200, response.text
        for header in visitor.set_cookies:
            assert header.startswith('__Host-site_session='), 'a cookie of its own'
        return response.text

    # -- storing -----------------------------------------------------------

    def test_untouched_stores_and_sends_nothing(self, site):
        """A request that leaves the session alone leaves no trace."""
        visitor = Visitor(site(untouched, issue='kept'))
        assert self.ask(visitor, untouched) == 'ok'
        assert not visitor.set_cookies
        assert not self.records()

    def test_reading_stores_and_sends_nothing(self, site):
        """Nor does one that only reads."""
        visitor = Visitor(site(read('color'), issue='kept'))
        assert self.ask(visitor, read('color')) == '-'
        assert not visitor.set_cookies
        assert not self.records()

    @pytest.mark.parametrize('issue', ['kept', 'always'])
    def test_what_is_written_is_read_next_time(self, site, issue):
        """A session is kept under the ID of the site's cookie."""
        visitor = Visitor(site(write('color', 'blue'), issue=issue))
        self.ask(visitor, write('color', 'blue'))
        assert self.records() == {self.control.id}
        assert self.ask(visitor, read('color')) == 'blue'
        self.ask(visitor, write('color', 'red'))
        assert self.ask(visitor, read('color')) == 'red'
        assert self.records() == {self.control.id}

    def test_what_is_empty_again_is_not_stored(self, site):
        """A new session that is given something, and loses it, leaves no trace."""
        visitor = Visitor(site(untouched, issue='kept'))

        def view(session):
            session['color'] = 'blue'
            del session['color']
        self.ask(visitor, view)
        assert not self.records()
        assert not visitor.set_cookies

    def test_removed_is_removed(self, site):
        """What a view deletes is gone, and the rest stays."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        self.ask(visitor, write('size', 'small'))
        self.ask(visitor, remove('color'))
        assert self.ask(visitor, read('color')) == '-'
        assert self.ask(visitor, read('size')) == 'small'

    def test_reading_changes_nothing(self, site):
        """A session that is only read sends no cookie."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        self.ask(visitor, read('color'))
        assert not visitor.set_cookies

    def test_an_unknown_id_is_adopted(self, site):
        """The filter vouches for an ID, whether the store knows it or not."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, untouched)
        before = str(self.control.id)
        self.ask(visitor, write('color', 'blue'))
        assert self.records() == {before}
        assert not visitor.set_cookies

    def test_visitors_are_apart(self, site):
        """One visitor does not see another's session."""
        app = site(untouched)
        bob, eve = Visitor(app), Visitor(app)
        self.ask(bob, write('color', 'blue'))
        assert self.ask(eve, read('color')) == '-'
        self.ask(eve, write('color', 'red'))
        assert self.ask(bob, read('color')) == 'blue'
        assert len(self.records()) == 2

    # -- renewing, ending --------------------------------------------------

    def test_renewing_moves_the_data(self, site):
        """A framework's login: the same data under a new ID, nothing under the old."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        before = str(self.control.id)
        self.ask(visitor, self.renew)
        after = str(self.control.id)
        assert before != after
        assert self.records() == {after}
        assert self.ask(visitor, read('color')) == 'blue'
        assert self.control.id == after

    def test_renewing_nothing_gives_a_new_id(self, site):
        """A login without anything stored is no fixation either."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, untouched)
        before = str(self.control.id)
        self.ask(visitor, self.renew)
        assert self.control.id != before
        after = str(self.control.id)
        self.ask(visitor, untouched)
        assert self.control.id == after

    def test_renewing_twice(self, site):
        """Two new IDs in one request leave one record."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))

        def view(session):
            self.renew(session)
            session['size'] = 'small'
            self.renew(session)
        self.ask(visitor, view)
        assert self.records() == {self.control.id}
        assert self.ask(visitor, read('color')) == 'blue'
        assert self.ask(visitor, read('size')) == 'small'

    def test_ending_leaves_nothing(self, site):
        """A framework's log-out: the data is gone, the ID is new."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        before = str(self.control.id)
        self.ask(visitor, self.end)
        assert before not in self.records()
        assert self.ask(visitor, read('color')) == '-'
        assert self.control.id != before

    def test_after_the_end_a_new_session_may_begin(self, site):
        """What is written after the end is of the new session."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))

        def view(session):
            self.end(session)
            session['size'] = 'small'
        self.ask(visitor, view)
        assert self.records() == {self.control.id}
        assert self.ask(visitor, read('color')) == '-'
        assert self.ask(visitor, read('size')) == 'small'

    def test_a_slow_request_brings_no_session_back(self, site):
        """What was ended while a request was using it stays ended."""
        visitor, other_tab = self.tabs(site, write('color', 'blue'))
        before = str(self.control.id)

        def slow(session):
            assert session['color'] == 'blue'
            self.ask(other_tab, self.end)
            session['color'] = 'red'
        self.view = slow
        visitor.get()  # some frameworks answer that the session was interrupted
        assert before not in self.records()
        visitor.cookie = other_tab.cookie
        assert self.ask(visitor, read('color')) == '-'

    def test_two_tabs_begin_at_once(self, site):
        """Two first requests under one new ID: both are answered, one record."""
        app = site(untouched)
        visitor = Visitor(app)
        self.ask(visitor, untouched)
        both = threading.Barrier(2, timeout=30)
        answers = []

        def meet(session):
            'color' in session
            both.wait()
            session['color'] = 'blue'
        self.view = meet

        def tab():
            own = Visitor(app)
            own.cookie = visitor.cookie
            answers.append(own.get().status_int)
        threads = [threading.Thread(target=tab) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [200, 200]
        assert self.records() == {self.control.id}
        assert self.ask(visitor, read('color')) == 'blue'

    def test_renewing_and_ending_leaves_nothing(self, site):
        """Both in one request: no record is left under any of the IDs."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))

        def view(session):
            self.renew(session)
            self.end(session)
        self.ask(visitor, view)
        assert not self.records()

    def test_a_slow_reader_brings_no_session_back(self, site):
        """Nor does a request that only reads, where reading is noted down."""
        visitor, other_tab = self.tabs(site, write('color', 'blue'))
        before = str(self.control.id)

        def slow(session):
            assert session['color'] == 'blue'
            self.ask(other_tab, self.end)
        self.view = slow
        visitor.get()
        assert before not in self.records()

    def test_a_slow_login_brings_no_session_back(self, site):
        """Nor does a renewal: only what is written after it is there."""
        visitor, other_tab = self.tabs(site, write('color', 'blue'))

        def slow(session):
            assert session['color'] == 'blue'
            self.ask(other_tab, self.end)
            self.renew(session)
            session['who'] = 'bob'
        self.ask(visitor, slow)
        assert self.ask(visitor, read('color')) == '-'
        assert self.ask(visitor, read('who')) == 'bob'

    # -- the site's login --------------------------------------------------

    def test_a_login_next_door_is_a_new_session(self, site):
        """Whoever planted a cookie before a login knows nothing after it."""
        app = site(untouched)
        attacker, victim = Visitor(app), Visitor(app)
        self.ask(attacker, write('color', 'blue'))
        victim.cookie = attacker.cookie
        self.next_door(victim, login('bob'))
        assert self.ask(victim, read('color')) == '-'
        self.ask(victim, write('color', 'red'))
        assert self.ask(attacker, read('color')) == 'blue'

    def test_a_renewal_shakes_a_planted_cookie_off(self, site):
        """Likewise for the framework's own login."""
        app = site(untouched)
        attacker, victim = Visitor(app), Visitor(app)
        self.ask(attacker, write('color', 'blue'))
        victim.cookie = attacker.cookie

        def own_login(session):
            self.renew(session)
            session['who'] = 'bob'
        self.ask(victim, own_login)
        assert self.ask(attacker, read('who')) == '-'
        assert self.ask(victim, read('who')) == 'bob'

    def test_a_basket_is_carried_into_a_login(self, site):
        """The named keys of an anonymous visitor, and no others, go along."""
        visitor = Visitor(site(untouched, carry=('basket',)))
        self.ask(visitor, write('basket', 'books'))
        self.ask(visitor, write('secret', 'planted'))
        before = str(self.control.id)
        self.next_door(visitor, login('bob'))
        assert self.ask(visitor, read('basket')) == 'books'
        assert self.ask(visitor, read('secret')) == '-'
        assert before not in self.records()
        assert self.ask(visitor, read('basket')) == 'books'

    def test_no_basket_is_carried_between_users(self, site):
        """From one user to another nothing goes along, nor out of a log-out."""
        visitor = Visitor(site(untouched, carry=('basket',)))
        self.next_door(visitor, login('bob'))
        self.ask(visitor, write('basket', 'books'))
        self.next_door(visitor, login('eve'))
        assert self.ask(visitor, read('basket')) == '-'
        self.ask(visitor, write('basket', 'songs'))
        self.next_door(visitor, logout)
        assert self.ask(visitor, read('basket')) == '-'

    def test_a_basket_does_not_replace_a_session(self, site):
        """A session that has begun since the login stays as it is."""
        visitor = Visitor(site(untouched, carry=('basket',)))
        self.ask(visitor, write('basket', 'books'))
        self.next_door(visitor, login('bob'))
        self.ask(visitor, write('basket', 'songs'))
        assert self.ask(visitor, read('basket')) == 'songs'

    def test_a_late_basket_is_not_carried(self, site):
        """Nor does what a planted cookie writes after the login come along."""
        app = site(untouched, carry=('basket',))
        attacker, victim = Visitor(app), Visitor(app)
        self.ask(attacker, untouched)
        victim.cookie = attacker.cookie
        self.next_door(victim, login('bob'))
        self.ask(victim, write('basket', 'books'))
        self.ask(attacker, write('basket', 'songs'))
        assert self.ask(victim, read('basket')) == 'books'

    @pytest.mark.parametrize('act', [login('eve'), logout], ids=['user', 'nobody'])
    def test_no_basket_goes_on_in_the_same_request(self, site, act):
        """From a user to another, or to nobody, nothing goes along there either."""
        visitor = Visitor(site(untouched, carry=('basket',)))
        self.next_door(visitor, login('bob'))
        self.ask(visitor, write('basket', 'books'))

        def view(session):
            assert session['basket'] == 'books'
            act({'session.control': self.control})
            assert 'basket' not in session
        self.ask(visitor, view)
        assert not self.records()

    def test_a_login_in_the_same_request(self, site):
        """What was there before the login stays behind, but for what is carried;
        what is written after it stays."""
        visitor = Visitor(site(untouched, carry=('basket',)))
        self.ask(visitor, write('basket', 'books'))

        def view(session):
            session['secret'] = 'planted'
            self.control.login('bob')
            assert 'secret' not in session
            session['color'] = 'blue'
        before = str(self.control.id)
        self.ask(visitor, view)
        assert self.records() == {self.control.id} != {before}
        assert self.ask(visitor, read('basket')) == 'books'
        assert self.ask(visitor, read('color')) == 'blue'
        assert self.ask(visitor, read('secret')) == '-'

    def test_a_login_in_the_same_request_and_nothing_else(self, site):
        """What was there before is removed, though nothing takes its place."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))

        def view(session):
            assert session['color'] == 'blue'
            self.control.login('bob')
        self.ask(visitor, view)
        assert not self.records()

    def test_a_log_out_in_the_same_request(self, site):
        """The site's log-out ends this session as well, record and all."""
        visitor = Visitor(site(untouched))
        self.next_door(visitor, login('bob'))
        self.ask(visitor, write('color', 'blue'))

        def view(session):
            session['color'] = 'red'
            self.control.logout()
            assert 'color' not in session
        self.ask(visitor, view)
        assert not self.records()
        assert visitor.cookie is None

    def tabs(self, site, view, **options):
        """Two tabs of one browser, after a first request."""
        app = site(view, **options)
        visitor, other_tab = Visitor(app), Visitor(app)
        self.ask(visitor, view)
        other_tab.cookie = visitor.cookie
        return visitor, other_tab

    def next_door(self, visitor, act):
        """Something happens in another application of the site."""
        here, self.inner = self.inner, next_door(act)
        visitor.get()
        self.inner = here

    # -- WSGI --------------------------------------------------------------

    def test_two_instances_do_not_collide(self, make_site):
        """Two namespaces over one store have a session each."""
        app = self.application(self._call_view)
        blog, news = Namespace(app, 'blog'), Namespace(app, 'news')
        visitor = Visitor(make_site(self._outermost))

        def ask(instance, view):
            self.inner = instance
            return self.ask(visitor, view)
        ask(blog, write('color', 'blue'))
        ask(news, write('color', 'red'))
        assert len(self.records()) == 2
        assert ask(blog, read('color')) == 'blue'
        ask(blog, self.end)
        assert ask(news, read('color')) == 'red'

    def test_a_copied_environ(self, site):
        """Middleware between us and the application may copy environ."""
        def around(app):
            def copying(environ, start_response):
                return app(dict(environ), start_response)
            return copying
        visitor = Visitor(site(untouched, around=around))
        self.ask(visitor, write('color', 'blue'))
        self.ask(visitor, self.renew)
        assert self.records() == {self.control.id}
        assert self.ask(visitor, read('color')) == 'blue'

    def test_a_deferred_start_response(self, site):
        """Middleware may pass the status on when the body is complete."""
        def around(app):
            def deferring(environ, start_response):
                kept = []

                def keep(status, headers, exc_info=None):
                    kept[:] = [status, headers]
                    return write_nothing
                body = drained(app(environ, keep))
                start_response(*kept)
                return body
            return deferring
        visitor = Visitor(site(untouched, around=around, issue='kept'))
        self.ask(visitor, write('color', 'blue'))
        assert len(visitor.set_cookies) == 1
        self.ask(visitor, self.renew)
        assert self.ask(visitor, read('color')) == 'blue'

    def test_a_second_start_response(self, site):
        """Middleware may replace a response that it does not like."""
        def around(app):
            def replacing(environ, start_response):
                drained(app(environ, start_response))
                try:
                    raise ValueError
                except ValueError as error:
                    start_response('503 Later', [('Content-Type', 'text/plain')],
                                   (ValueError, error, error.__traceback__))
                return [b'later']
            return replacing
        visitor = Visitor(site(untouched, around=around, issue='kept'))
        self.view = write('color', 'blue')
        assert visitor.get().status_int == 503
        assert len(visitor.set_cookies) == 1
        assert self.records() == {self.control.id}

    def test_an_error_harms_no_session(self, site):
        """A view that raises leaves what was there."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))

        def fail(session):
            session['color'] = 'red'
            raise ZeroDivisionError('as the test wants it')
        self.view = fail
        try:
            assert visitor.get().status_int == 500
        except ZeroDivisionError:
            pass  # a framework that leaves errors to the server
        assert self.ask(visitor, read('color')) in ('blue', 'red')
        assert self.records() == {self.control.id}

    def test_streaming(self, site):
        """A session can be read while the body is streamed."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))

        def view(session):
            session['size'] = 'small'
            return (part.encode() for part in [session['color'], ' ', session['size']])
        assert self.ask(visitor, view) == 'blue small'
        assert self.ask(visitor, read('size')) == 'small'
        assert self.records() == {self.control.id}

    def test_no_filter_in_front(self, caplog):
        """Alone, as in a unit test, an application has a session for one request."""
        frameworks._warn_detached.cache_clear()  # it says so once in a process

        def view(session):
            session['color'] = 'blue'
            return session['color']
        self.view = view
        assert Visitor(self.application(self._call_view)).get().text == 'blue'
        assert 'no session_cookie filter is in front' in caplog.text


class LoginContract:
    """
    What every adapter promises whose framework has a login that can be the
    site's.  Put before a subclass of Contract.
    """

    def login_application(self, view):
        """The same as ``application``, with a login that is published and received.

        It knows ``bob`` and ``eve``, with the ``make_user`` of the test's choice.
        """
        raise NotImplementedError

    def who(self, session):
        """The name of the framework's user in this request; ``-`` for nobody."""
        raise NotImplementedError

    def log_in(self, session, user):
        """Log a user in by the framework's own means."""
        raise NotImplementedError

    def log_out(self, session):
        """Log him out by the framework's own means."""
        raise NotImplementedError

    @pytest.fixture
    def login_site(self, make_site):
        """A visitor of a site around the framework's application."""
        self.view = untouched
        self.inner = self.login_application(self._call_view)
        return Visitor(make_site(self._outermost))

    def at(self, user):
        """A view that logs a user in."""
        def view(session):
            self.log_in(session, user)
        return view

    def test_received(self, login_site):
        """Who logs in next door is known here, and forgotten with the log-out."""
        assert self.ask(login_site, self.who) == '-'
        self.next_door(login_site, login('bob'))
        assert self.ask(login_site, self.who) == 'bob'
        self.next_door(login_site, login('eve'))
        assert self.ask(login_site, self.who) == 'eve'
        self.next_door(login_site, logout)
        assert self.ask(login_site, self.who) == '-'

    def test_received_is_not_published(self, login_site):
        """The site's login stays the one that was made next door."""
        self.next_door(login_site, login('bob'))
        before = login_site.cookie
        self.ask(login_site, self.who)
        self.ask(login_site, untouched)
        identity = self.control.identity
        login_site.cookie = before
        self.ask(login_site, untouched)
        assert self.control.identity == identity
        assert self.control.status == 'ok'

    def test_a_stranger(self, login_site):
        """Whom the application does not know is nobody here, and stays in next door."""
        self.next_door(login_site, login('mallory'))
        assert self.ask(login_site, self.who) == '-'
        assert self.control.identity.user == 'mallory'

    def test_published(self, login_site):
        """Who logs in here is known next door, and no longer after the log-out."""
        self.ask(login_site, self.at('bob'))
        assert self.control.identity.user == 'bob'
        assert self.ask(login_site, self.who) == 'bob'
        self.ask(login_site, self.log_out)
        assert self.control.identity is None
        assert self.ask(login_site, self.who) == '-'
        assert self.control.identity is None

    def test_logging_out_of_a_received_login(self, login_site):
        """... is a log-out of the site: else the next request would log in again."""
        self.next_door(login_site, login('bob'))
        self.ask(login_site, self.who)
        self.ask(login_site, self.log_out)
        assert self.ask(login_site, self.who) == '-'
        assert self.control.identity is None

    @pytest.mark.parametrize('own', [True, False])
    def test_logged_out_in_the_same_request(self, login_site, own):
        """After a log-out by the control, nobody is in at once."""
        if own:
            self.ask(login_site, self.at('bob'))
        else:
            self.next_door(login_site, login('bob'))
        assert self.ask(login_site, self.who) == 'bob'

        def view(session):
            self.control.logout()
        self.ask(login_site, view)
        assert self.ask(login_site, self.who) == '-'
        assert not self.records()

    def test_a_login_shakes_a_planted_cookie_off(self, login_site):
        """Who planted a cookie before the login is nobody after it."""
        self.ask(login_site, write('color', 'blue'))
        attacker = Visitor(login_site.app)
        attacker.cookie = login_site.cookie
        self.ask(login_site, self.at('bob'))
        assert self.ask(attacker, self.who) == '-'
        assert self.ask(login_site, self.who) == 'bob'


def untouched(session):
    return 'ok'


def read(key):
    def view(session):
        return session[key] if key in session else '-'
    return view


def write(key, value):
    def view(session):
        session[key] = value
    return view


def remove(key):
    def view(session):
        del session[key]
    return view


def next_door(act):
    """Another application, which does something with the control."""
    def app(environ, start_response):
        act(environ)
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [b'ok']
    return app


def write_nothing(data):
    raise AssertionError('nobody writes that way')


def drained(body):
    """The parts of a body, closed as PEP 3333 has it."""
    try:
        return list(body)
    finally:
        getattr(body, 'close', bool)()
