"""One request's session in a store of mappings, and what adapters share."""
import logging

import pytest
from conftest import Visitor, login
from webob import Request

from paste_sessioncookie import SessionControl
from paste_sessioncookie.frameworks import (
    carry_names, get_control, keep, lifetime_seconds, profile_of, site_user,
    warn_of_cookie_options)
from paste_sessioncookie.frameworks.record import Record, RecordMapping
from paste_sessioncookie.frameworks.testing import PlainCookie


class DictStore(dict):
    """A store in memory, which counts the look-ups."""

    loads = 0

    def load(self, session_id):
        self.loads += 1
        found = self.get(session_id)
        return None if found is None else dict(found)

    def insert(self, session_id, data):
        self[session_id] = data

    def update(self, session_id, data):
        if session_id not in self:
            return False
        self[session_id] = data
        return True

    def delete(self, session_id):
        self.pop(session_id, None)


@pytest.fixture
def store():
    return DictStore()


@pytest.fixture
def session(store):
    """A request's session, without a filter in front."""
    return RecordMapping(Record(get_control({}), store, ('basket',)))


class TestRecord:
    def test_loaded_once_and_only_if_used(self, session, store):
        """An unused session costs no look-up, a used one costs one."""
        session.save()
        assert not store.loads
        assert 'color' not in session
        assert len(session) == 0
        assert list(session) == []
        assert store.loads == 1

    def test_saved_once(self, session, store):
        """What has been saved is not written again."""
        session['color'] = 'blue'
        assert session.modified
        session.save()
        store.clear()
        session.save()
        assert not store

    def test_changed_in_place(self, session, store):
        """A value that is changed in place is written when the session says so."""
        session['list'] = []
        session.save()
        session['list'].append(1)
        session.modified = True
        session.save()
        assert store[session.record.control.id] == {'list': [1]}

    def test_new_says_whether_the_store_had_it(self, session):
        assert session.record.new
        session['color'] = 'blue'
        session.save()
        assert not session.record.new

    def test_moving_before_anything_was_loaded(self, store):
        """A framework may log in before it has looked at its session."""
        record = Record(get_control({}), store)
        record.control.regenerate()
        record.move()
        assert not record.loaded
        assert not record.modified

    def test_moving_nowhere(self, session, store):
        """Without a new ID, nothing moves."""
        session['color'] = 'blue'
        session.save()
        session.record.move()
        assert not session.modified

    def test_a_vanished_record_is_not_written(self, session, store, caplog):
        """... and that is said, without its ID."""
        session['color'] = 'blue'
        session.save()
        store.clear()
        session['color'] = 'red'
        caplog.set_level(logging.INFO)
        session.save()
        assert not store
        assert 'ended while a request was using it' in caplog.text
        assert session.record.control.id not in caplog.text

    @pytest.mark.parametrize('use', [True, False])
    def test_what_ended_unused_is_removed(self, store, use):
        """A view that only logs out leaves no record, whoever reads after it."""
        control = get_control({})
        store[str(control.id)] = {'color': 'blue'}
        session = RecordMapping(Record(control, store))
        control.logout()
        if use:
            assert 'color' not in session
        session.save()
        assert not store

    def test_what_may_be_carried_is_not_removed(self, store):
        """The request after a login takes it along."""
        control = get_control({})
        store[str(control.id)] = {'basket': 'books'}
        session = RecordMapping(Record(control, store, ('basket',)))
        control.login('bob')
        session.save()
        assert store
        assert session['basket'] == 'books'

    def test_a_framework_mapping_is_filled(self, store):
        """A framework may bring the mapping that its users see."""
        control = get_control({})
        store[str(control.id)] = {'color': 'blue'}
        own = {}
        assert Record(control, store, data=own).sync() is own
        assert own == {'color': 'blue'}

    def test_a_basket_that_another_tab_has_changed(self, store):
        """A request that only reads does not undo it."""
        environ = {}
        control = get_control(environ)
        store[str(control.id)] = {'basket': ['x']}
        control.login('bob')
        reader, writer = [Record(control, store, ('basket',)) for _ in range(2)]
        for record in (reader, writer):
            assert record.sync() == {'basket': ['x']}
        writer.sync()['basket'] = ['x', 'y']
        writer.save()
        reader.save()
        assert store == {control.id: {'basket': ['x', 'y']}}

    def test_a_basket_that_is_changed_in_place(self, store):
        """... but what it changes is written."""
        environ = {}
        control = get_control(environ)
        store[str(control.id)] = {'basket': ['x']}
        control.login('bob')
        record = Record(control, store, ('basket',))
        record.sync()['basket'].append('z')
        store[str(control.id)] = {'basket': ['x', 'y']}
        record.save()
        assert store[control.id] == {'basket': ['x', 'z']}

    def test_a_basket_of_nothing(self, store):
        """A session that holds nothing to carry is left behind."""
        environ = {}
        control = get_control(environ)
        store[str(control.id)] = {'theme': 'dark'}
        record = Record(control, store, ('basket',))
        record.sync()
        control.login('bob')
        assert record.sync() == {}
        assert not record.modified


class TestControl:
    def test_one_detached_control_for_a_request(self, caplog):
        """Without a filter, all of one request have one control; one warning."""
        environ = {}
        control = get_control(environ)
        assert isinstance(control, SessionControl)
        assert get_control(environ) is control
        assert get_control({}).id != control.id

    def test_the_control_of_the_filter(self, visitor, probe):
        """With a filter, it is the filter's."""
        visitor.get()
        assert get_control(probe.environ) is probe.control

    def test_how_long_an_id_lasts(self, make_site, probe):
        """As long as the filter's lifetime."""
        Visitor(make_site(probe, lifetime=2)).get()
        assert lifetime_seconds(probe.control) == 120

    def test_keeping_after_the_start(self, make_site, probe, caplog):
        """A session first written in the body is lost under issue = kept: a warning."""
        for issue, warnings in (('kept', 1), ('always', 0)):
            caplog.clear()
            visitor = Visitor(make_site(probe, issue=issue))
            visitor.get()
            keep(probe.control)
            assert len(caplog.records) == warnings
        visitor.get()
        keep(probe.control)
        assert not caplog.records

    def test_names_to_carry(self):
        """Names are a list, or text with white space."""
        assert carry_names('basket  lang') == ('basket', 'lang')
        assert carry_names(['basket']) == ('basket',)

    @pytest.mark.parametrize('name', [
        'user', 'user_id', 'auth.userid', 'logged_in', 'csrf_token', 'github_oauth_state',
        'nonce', 'socialaccount_state', '_anything', 'OTP', 'is_admin', 3])
    def test_names_never_to_carry(self, name):
        """Who somebody is never goes along, whatever framework keeps it."""
        with pytest.raises(ValueError, match=f'^{name}: '):
            carry_names(['basket', name, 'statement', 'nextbook'])

    def test_names_of_a_framework(self):
        """... nor does what is a framework's own; all faults are told at once."""
        with pytest.raises(ValueError, match='^beaker_x, user: '):
            carry_names('basket beaker_x user', lambda name: name.startswith('beaker_'))

    def test_the_user_of_this_moment(self, make_site, probe):
        """What was said to the control in this request counts at once."""
        def story(environ):
            seen = [site_user(environ)]
            environ['session.control'].login('bob', ['staff'])
            seen.append(site_user(environ))
            environ['session.control'].logout()
            return [*seen, site_user(environ)]
        probe.act = story
        Visitor(make_site(probe)).get()
        before, between, after = probe.result
        assert before is after is None
        assert (between.user, between.tokens) == ('bob', ('staff',))

    def test_a_user_from_outside(self, make_site, probe):
        """A server's REMOTE_USER is as text, with his groups, and hides the login."""
        probe.act = lambda environ: site_user(environ)
        Visitor(make_site(probe)).get(
            REMOTE_USER='J\xc3\xb8rn', REMOTE_USER_TOKENS='staff, wheel')
        now = probe.control.state.now
        assert probe.result == ('J\xf8rn', ('staff', 'wheel'), now, '')

    def test_the_profile(self):
        """It is the filter's, or empty."""
        assert profile_of({'session.profile': {'name': 'Bob'}}) == {'name': 'Bob'}
        assert profile_of({}) == {}

    def test_options_of_a_cookie(self, caplog):
        """One warning names them all."""
        warn_of_cookie_options('here', [])
        assert not caplog.records
        warn_of_cookie_options('here', {'secure', 'domain'})
        assert caplog.messages == [
            "here: domain, secure: not used, for the cookie is the site's; see the options of "
            'session_cookie']

    def test_something_else_of_that_name(self):
        """What stands in environ is not replaced in silence."""
        assert get_control({'session.control': 'mine'}) == 'mine'


class TestPlainCookie:
    def ask(self, site, cookie=None, method='GET'):
        request = Request.blank('/', method=method)
        if cookie:
            request.headers['Cookie'] = '='.join(cookie)
        return request.get_response(site)

    def test_a_user_for_a_test_client(self, probe):
        """A test begins with somebody who is logged in."""
        site = PlainCookie(probe)
        self.ask(site, site.cookie('bob', tokens=('staff',)))
        assert probe.control.identity.user == 'bob'
        assert probe.control.identity.tokens == ('staff',)
        assert probe.control.status == 'ok'

    def test_a_post_begins_a_session(self, probe):
        """Test clients send no browser's headers, over plain http."""
        header = self.ask(PlainCookie(probe), method='POST').headers['Set-Cookie']
        assert header.startswith('site_session=')
        assert 'Secure' not in header

    def test_its_own_options(self, probe):
        """It takes the filter's options."""
        site = PlainCookie(probe, issue='kept')
        assert 'Set-Cookie' not in self.ask(site).headers
        probe.act = login('bob')
        assert 'Set-Cookie' in self.ask(site).headers
