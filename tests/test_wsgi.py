"""Between any server and any application: the filters are right as WSGI."""
import io
import sys
import threading
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from paste import lint
from paste.cascade import Cascade
from paste.errordocument import forward
from paste.httpexceptions import HTTPExceptionHandler, HTTPFound
from paste.recursive import ForwardRequestException, RecursiveMiddleware

from conftest import Visitor, login, logout, put
from paste_sessioncookie import Namespace

PLAIN = [('Content-Type', 'text/plain')]


def returns_list(environ, start_response):
    start_response('200 OK', PLAIN)
    return [b'one ', b'two']


def returns_generator(environ, start_response):
    start_response('200 OK', PLAIN)
    yield b'one '
    yield b'two'


def starts_late(environ, start_response):
    """start_response is called when the first block is asked for."""
    def body():
        start_response('200 OK', PLAIN)
        yield b'one '
        yield b'two'
    return body()


def writes(environ, start_response):
    write = start_response('200 OK', PLAIN)
    write(b'one ')
    write(b'two')
    return []


class Closing:
    """An iterator that knows whether it was closed."""

    closed = 0

    def __init__(self, environ, start_response):
        start_response('200 OK', PLAIN)
        self.blocks = iter([b'one ', b'two'])

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.blocks)

    def close(self):
        Closing.closed += 1


APPLICATIONS = [returns_list, returns_generator, starts_late, writes, Closing]


def logging_in(application):
    """Each kind of application, with a login before it starts."""
    def wrapped(environ, start_response):
        environ['session.control'].login('bob')
        return application(environ, start_response)
    return wrapped


@pytest.mark.parametrize('application', APPLICATIONS)
@pytest.mark.parametrize('check', [validator, lint.middleware])
@pytest.mark.parametrize('namespace', [True, False])
def test_every_kind_of_application(make_site, application, check, namespace):
    """Checked on both sides of the filter: the body is whole, the cookie is set."""
    inner = check(logging_in(application))
    if namespace:
        inner = Namespace(inner, 'shop', login=True)
    visitor = Visitor(check(make_site(inner)))
    Closing.closed = 0
    assert visitor.get().body == b'one two'
    assert len(visitor.set_cookies) == 1 and ':bob:' in visitor.cookie
    assert Closing.closed == (application is Closing)


@pytest.mark.parametrize('method', ['HEAD', 'GET', 'POST', 'OPTIONS', 'DELETE'])
def test_methods(make_site, method):
    """Any method passes; a HEAD has the headers of a GET."""
    def application(environ, start_response):
        start_response('200 OK', PLAIN)
        return [] if environ['REQUEST_METHOD'] == 'HEAD' else [b'body']
    visitor = Visitor(make_site(application))
    assert visitor.request(method, '/').headers['Vary'] == 'Cookie'
    assert bool(visitor.set_cookies) is (method in ('HEAD', 'GET'))


def environ_of(**more):
    environ = {'wsgi.url_scheme': 'https', **more}
    setup_testing_defaults(environ)
    return environ


@pytest.mark.parametrize('namespace', [True, False])
def test_what_is_returned_is_passed_on_untouched(make_site, namespace):
    """A server may recognise its own wsgi.file_wrapper."""
    returned = []

    def application(environ, start_response):
        start_response('200 OK', PLAIN)
        returned.append(environ['wsgi.file_wrapper'](io.BytesIO(b'file')))
        return returned[0]
    site = make_site(Namespace(application, 'shop') if namespace else application)
    result = site(environ_of(**{'wsgi.file_wrapper': FileWrapper}),
                  lambda status, headers, exc_info=None: None)
    assert result is returned[0]


@pytest.mark.parametrize('namespace', [True, False])
def test_arguments_of_start_response(make_site, namespace):
    """The server's write() comes back, and exc_info is passed on only if given."""
    def application(environ, start_response):
        assert start_response('200 OK', PLAIN) is write
        try:
            raise LookupError
        except LookupError:
            start_response('500 Oops', PLAIN, sys.exc_info())
        return [b'']
    calls = []

    def write(data):
        pass

    def start_response(*args):
        calls.append(args)
        return write
    make_site(Namespace(application, 'shop') if namespace else application)(
        environ_of(), start_response)
    assert [len(call) for call in calls] == [2, 3]
    assert calls[1][2][0] is LookupError


@pytest.mark.parametrize('namespace', [True, False])
def test_a_second_start_response(make_site, namespace):
    """With exc_info the cookie is computed afresh, for the new list of headers."""
    def application(environ, start_response):
        environ['session.control'].login('bob')
        put('shop.basket', 'first')(environ)
        start_response('200 OK', PLAIN)
        environ['shop.basket'] = 'second'
        try:
            raise LookupError
        except LookupError:
            start_response('500 Oops', PLAIN, sys.exc_info())
        return [b'error']
    visitor = Visitor(make_site(Namespace(application, 'shop', login=True)
                                if namespace else application))
    response = visitor.get()
    assert response.status_int == 500
    assert len(visitor.set_cookies) == 1
    assert ':bob:' in visitor.cookie and 'shop.basket=second' in visitor.cookie


def test_a_second_start_response_takes_back(make_site):
    """A value that was set back before the second call does not travel."""
    def application(environ, start_response):
        put('shop.basket', 'first')(environ)
        start_response('200 OK', PLAIN)
        del environ['shop.basket']
        try:
            raise LookupError
        except LookupError:
            start_response('500 Oops', PLAIN, sys.exc_info())
        return [b'error']
    visitor = Visitor(make_site(application))
    visitor.get()
    assert 'shop.basket' not in visitor.cookie


def test_an_idiom_login_counts_once(make_site):
    """Two calls of start_response are one login."""
    def application(environ, start_response):
        environ['REMOTE_USER'] = 'bob'
        headers = []
        start_response('200 OK', PLAIN)
        headers.append(str(environ['session.control'].id))
        try:
            raise LookupError
        except LookupError:
            start_response('500 Oops', PLAIN, sys.exc_info())
        headers.append(str(environ['session.control'].id))
        assert headers[0] == headers[1]
        return [b'']
    visitor = Visitor(make_site(application))
    visitor.get()
    assert ':bob:' in visitor.cookie


def test_an_error_page_logs_nobody_in(make_site, caplog):
    """What failed before it called start_response has not logged anybody in."""
    def application(environ, start_response):
        environ['REMOTE_USER'] = 'bob'
        try:
            raise LookupError
        except LookupError:
            start_response('500 Oops', PLAIN, sys.exc_info())
        return [b'']
    visitor = Visitor(make_site(application))
    visitor.get()
    assert ':bob:' not in visitor.cookie
    assert 'nobody is logged in' in caplog.text


def test_an_exception_passes(make_site):
    """What an application raises is raised, and no cookie goes out."""
    def application(environ, start_response):
        environ['session.control'].login('bob')
        raise LookupError('mine')
    visitor = Visitor(make_site(application))
    with pytest.raises(LookupError, match='mine'):
        visitor.get()
    assert visitor.cookie is None


def test_no_answer_at_all(make_site):
    """An application that never starts a response is the server's affair."""
    assert make_site(lambda environ, start_response: [])(environ_of(), None) == []


# -- with the rest of Paste ---------------------------------------------------------

def not_found(environ, start_response):
    start_response('404 Not Found', PLAIN)
    return [b'']


def test_cascade(make_site, probe):
    """Through a copy of environ the control works; all but the last application
    have one."""
    for applications in ([probe, not_found], [not_found, probe]):
        visitor = Visitor(make_site(Cascade(applications)))
        probe.act = login()
        visitor.get()
        probe.act = None
        visitor.get()
        assert probe.environ['REMOTE_USER'] == 'bob'
        assert probe.control.identity.user == 'bob'
        probe.act = logout
        visitor.get()
        assert visitor.cookie is None


def test_cascade_of_namespaces(make_site, probe):
    """A namespace inside of a copy collects its values."""
    visitor = Visitor(make_site(Cascade([not_found, Namespace(probe, 'a'), not_found])))
    probe.act = put('a.b', '1')
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.environ['a.b'] == '1'


def test_httpexceptions_inside(make_site, probe):
    """A redirect that is raised inside carries the cookie."""
    def application(environ, start_response):
        environ['session.control'].login('bob')
        raise HTTPFound('/next')
    visitor = Visitor(make_site(HTTPExceptionHandler(application)))
    assert visitor.get().status_int == 302
    assert ':bob:' in visitor.cookie


def forwarding(probe, where):
    """An application that goes on elsewhere by an exception."""
    def application(environ, start_response):
        if environ['PATH_INFO'] == where:
            return probe(environ, start_response)
        environ['session.control'].login('first')
        environ['REMOTE_SESSION'] = 'first'
        raise ForwardRequestException(where)
    return application


@pytest.mark.parametrize('outside', [True, False])
def test_recursive(make_site, probe, outside):
    """After an exception the same environ comes again, and begins anew."""
    application = forwarding(probe, '/second')
    probe.act = put('weblog.theme', 'dark')
    site = (RecursiveMiddleware(make_site(application)) if outside
            else make_site(RecursiveMiddleware(application)))
    visitor = Visitor(site)
    visitor.get('/first')
    assert len(visitor.set_cookies) == 1
    assert 'weblog.theme=dark' in visitor.cookie
    # outside, the first pass was undone; inside, it is one pass
    assert (':first:' in visitor.cookie) is not outside
    assert ('REMOTE_SESSION' in probe.environ) is not outside


@pytest.mark.parametrize('outside', [True, False])
@pytest.mark.parametrize('act, check', [
    (login(), ':bob:'), (put('weblog.theme', 'dark'), 'weblog.theme=dark'),
    (lambda environ: environ.update(REMOTE_USER='bob', REMOTE_SESSION='x'), ':bob:'),
])
def test_errordocument(make_site, probe, outside, act, check):
    """After a normal return, too: what the first pass did stays, with its ID."""
    def application(environ, start_response):
        if environ['PATH_INFO'] == '/missing':
            act(environ)
            start_response('404 Not Found', PLAIN)
            return [b'']
        control = environ['session.control']
        assert not control.started
        if outside:
            assert environ['session.id'] == control.id
        control.keep()
        return probe(environ, start_response)
    codes = {404: '/error'}
    if outside:
        site = RecursiveMiddleware(forward(make_site(application), codes))
    else:
        site = make_site(RecursiveMiddleware(forward(application, codes)))
    visitor = Visitor(site)
    response = visitor.get('/missing')
    assert (response.status_int, response.body) == (404, b'ok')
    assert len(set(visitor.set_cookies)) == 1
    assert check in visitor.cookie
    sent = probe.control.id
    visitor.get('/again')
    assert probe.id == sent and probe.control.status == 'ok'


def test_errordocument_after_a_logout(make_site, probe):
    """A log-out of the first pass holds in the second."""
    def application(environ, start_response):
        if environ['PATH_INFO'] == '/missing':
            environ['session.control'].logout()
            start_response('404 Not Found', PLAIN)
            return [b'']
        return probe(environ, start_response)
    visitor = Visitor(RecursiveMiddleware(forward(make_site(application), {404: '/error'})))
    probe.act = login()
    visitor.get()
    probe.act = None
    visitor.get('/missing')
    assert 'REMOTE_USER' not in probe.environ and probe.control.identity is None
    assert visitor.cookie is None


def test_a_filter_of_the_section_inside_of_a_namespace(make_site, probe):
    """Called again after the start, it stays inside of the namespace."""
    inner, seen = make_site(probe), []

    def again(environ, start_response):
        for _ in range(2):
            result = inner(environ, start_response)
            seen.append((environ['session.control'].namespace, probe.control.namespace))
        return result
    calls = []
    make_site(Namespace(again, '/wiki'))(
        environ_of(), lambda status, headers, exc_info=None: calls.append(headers))
    assert seen == [('/wiki', '/wiki')] * 2


# -- threads -----------------------------------------------------------------------

def test_threads(make_site):
    """Many visitors at once: nobody meets another's ID, value or login."""
    faults = []

    def application(environ, start_response):
        name = environ['QUERY_STRING']
        control = environ['session.control']
        if environ['PATH_INFO'] == '/login':
            control.login(name)
            put('shop.mine', name)(environ)
        elif environ['PATH_INFO'] == '/':
            if (environ.get('REMOTE_USER'), environ.get('shop.mine')) != (name, name):
                faults.append(name)
        start_response('200 OK', PLAIN + [('X-Id', str(environ['session.id']))])
        return [b'']
    site = make_site(Namespace(application, 'shop', login=True))
    ids = {}

    def work(number):
        for n in range(20):
            visitor, name = Visitor(site), f'{number}-{n}'
            visitor.get(f'/login?{name}')
            for _ in range(5):
                ids.setdefault(visitor.get(f'/?{name}').headers['X-Id'], set()).add(name)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(ids) == 160 and all(len(names) == 1 for names in ids.values())
