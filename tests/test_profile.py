"""profileserver.py and profile.py: who the user is, asked when that is read."""
import contextlib
import copy
import datetime
import gc
import gzip
import logging
import pickle
import re
import socket
import ssl
import threading
import time
import xmlrpc.client

import pytest
import trustme
from paste.urlmap import URLMap
from webob import Request

from conftest import Clock, Visitor, login, logout, setting
from paste_sessioncookie import ConfigError, Namespace, profile, profileserver
from paste_sessioncookie.profile import Profile, ProfileFilter, Profiles
from paste_sessioncookie.profileserver import (
    MAX_ANSWER, BadAnswer, ProfileServer, ServerAway, read_profile)

PATIENCE = 10     # seconds after which a server gives up on its caller
WAIT = 0.4        # seconds that hostile servers are waited for
NORMAL_WAIT = 30  # seconds, where an answer is sure to come
ADA = {'full_name': 'Ada Lovelace', 'email': 'ada@example.org'}


def response(value):
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True).encode()


def http(body, status='200 OK', *headers):
    lines = [f'HTTP/1.1 {status}', 'Content-Type: text/xml',
             f'Content-Length: {len(body)}', *headers]
    return '\r\n'.join([*lines, '', '']).encode('latin-1') + body


GOOD = http(response(ADA))


class RawServer:
    """A TCP server; ``act(connection, request)`` is done to each caller, in a thread."""

    def __init__(self, act, tls=None):
        self.act = act
        self.tls = tls
        self.requests = []
        self.gone = threading.Event()
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.port = self.socket.getsockname()[1]
        self.url = f'http{"s" if tls else ""}://127.0.0.1:{self.port}'
        self.threads = [threading.Thread(target=self._listen)]

    def __enter__(self):
        self.threads[0].start()
        return self

    def __exit__(self, *args):
        self.gone.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for thread in self.threads:
            thread.join(2 * PATIENCE)
            assert not thread.is_alive()

    def _listen(self):
        while not self.gone.is_set():
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self.threads[-1].start()

    def _serve(self, connection):
        connection.settimeout(PATIENCE)
        with connection, contextlib.suppress(OSError):
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                self.requests.append(_request(connection))
                self.act(connection, self.requests[-1])

    @property
    def users(self):
        """Who was asked for."""
        return [xmlrpc.client.loads(each.partition(b'\r\n\r\n')[2])[0][0]
                for each in self.requests]


def _request(connection):
    data = b''
    while b'\r\n\r\n' not in data:
        data += _some(connection)
    head, _, body = data.partition(b'\r\n\r\n')
    length = int(re.search(rb'(?i)content-length: (\d+)', head)[1])
    while len(body) < length:
        body += _some(connection)
    return head + b'\r\n\r\n' + body


def _some(connection):
    data = connection.recv(65536)
    if not data:
        raise OSError('hung up')
    return data


def sending(data):
    def act(connection, request):
        connection.sendall(data)
    return act


def for_ever(data, first=b'', tired=None):
    """Sends as fast as it is taken, and as long as it has patience; says when it had
    none any more."""
    def act(connection, request):
        connection.sendall(first)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            connection.sendall(data)
        if tired is not None:
            tired.set()
    return act


def dripping(data, pause=0.01):
    """Sends all of it, in time for who is patient, byte by byte."""
    def act(connection, request):
        for index in range(len(data)):
            connection.sendall(data[index:index + 1])
            time.sleep(pause)
    return act


def telling(profiles):
    """An XML-RPC server of these users."""
    def act(connection, request):
        (user,), _ = xmlrpc.client.loads(request.partition(b'\r\n\r\n')[2])
        connection.sendall(http(response(profiles.get(user, {}))))
    return act


@pytest.fixture
def serve():
    """Starts servers."""
    with contextlib.ExitStack() as stack:
        yield lambda act, **options: stack.enter_context(RawServer(act, **options))


def ask(server, wait=NORMAL_WAIT, user='ada', path='', method='get_profile'):
    return ProfileServer(server.url + path, method, wait).ask(user)


class TestCall:
    """What is sent."""

    def test_call(self, serve):
        """One method is called with the user, at the usual path, and hung up after."""
        server = serve(sending(GOOD))
        assert ask(server) == ADA
        [request] = server.requests
        assert request.startswith(b'POST /RPC2 HTTP/1.1\r\n')
        assert f'Host: 127.0.0.1:{server.port}\r\n'.encode() in request
        assert b'Connection: close' in request and b'Authorization' not in request
        assert xmlrpc.client.loads(request.partition(b'\r\n\r\n')[2]) == (
            ('ada',), 'get_profile')

    def test_path_query_and_method(self, serve):
        """Path, query and method are the deployer's."""
        server = serve(sending(GOOD))
        ask(server, path='/a/b?c=d', method='users.profile')
        assert server.requests[0].startswith(b'POST /a/b?c=d HTTP/1.1\r\n')
        assert b'<methodName>users.profile<' in server.requests[0]

    @pytest.mark.parametrize('pair, expected', [
        ('user:pa%40ss%C3%A9', 'user:pa@ss\xe9'), ('user', 'user:'), ('user:', 'user:'),
        (':p', ':p')])
    def test_password(self, serve, pair, expected):
        """User and password of the URL are sent, and nowhere else (RFC 7617)."""
        server = serve(sending(GOOD))
        ProfileServer(server.url.replace('//', f'//{pair}@'), 'm', NORMAL_WAIT).ask('ada')
        [request] = server.requests
        [sent] = re.findall(rb'Authorization: Basic (\S+)\r\n', request)
        assert xmlrpc.client.base64.b64decode(sent).decode('utf-8') == expected
        assert pair.encode() + b'@' not in request

    @pytest.mark.parametrize('user', ['ada', 'é', '\u0645\u0631\u064a\u0645', '<&>"\']]>', ' ', '\U0001f600', 'x' * 5000])
    def test_users(self, serve, user):
        """A user arrives as the text that he is."""
        server = serve(sending(GOOD))
        ask(server, user=user)
        assert server.users == [user]

    @pytest.mark.parametrize('user', ['\ud800', '\x00', '\x1b'])
    def test_users_that_no_xml_has(self, serve, user):
        """What XML cannot say is the server's to refuse."""
        server = serve(sending(http(b'', '400 Bad Request')))
        with pytest.raises(BadAnswer, match='status 400'):
            ask(server, user=user)

    def test_address_of_version_6(self):
        """The end of an IPv6 address is no port."""
        for url, port in (('http://[::1]/', 80), ('https://[::1]/', 443), ('http://[::1]:8/', 8)):
            connection = ProfileServer(url, 'm', 1)._connection()
            assert (connection.host, connection.port) == ('::1', port)


VALUES = {
    'text': '<é>\u20ac', 'empty': '', 'number': -5, 'true': True, 'fraction': 1.5, 'none': None,
    'bytes': b'\x00\xff', 'time': datetime.datetime(2026, 1, 31, 12, 0, 0),
    'list': [1, ['a', {'b': 'c'}]], 'struct': {'a': {'b': {}}}, '': 'no name',
}


def nested(levels):
    value = {}
    for _ in range(levels - 1):
        value = {'a': value}
    return value


def in_struct(xml):
    """A response whose struct has one member, a value of this XML."""
    return (b'<methodResponse><params><param><value><struct><member><name>a</name>'
            b'<value>' + xml + b'</value></member></struct></value></param></params>'
            b'</methodResponse>')


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">%s]>' % b''.join(
    b'<!ENTITY %c "%s">' % (98 + each, b'&%c;' % (97 + each) * 10) for each in range(9))
NO_PROFILES = {
    'a fault': xmlrpc.client.dumps(xmlrpc.client.Fault(1, 'no ada')).encode(),
    'an odd fault': b'<methodResponse><fault><value>ada</value></fault></methodResponse>',
    'nothing': b'', 'no XML': b'ada', 'HTML': b'<!doctype html><html><p>Hello', 'NUL': b'\x00' * 9,
    'cut off': response(ADA)[:-30], 'twice': response(ADA) * 2, 'gzip': gzip.compress(response(ADA)),
    'a list': response([ADA]), 'a text': response('ada'), 'a number': response(5), 'nil': response(None),
    'no values': xmlrpc.client.dumps((), methodresponse=False).encode(),
    'two values': xmlrpc.client.dumps((ADA, ADA)).encode(),
    'a name that is a number': in_struct(b'').replace(b'<name>a</name>', b'<value><int>1</int></value>'),
    'a name that is a struct': in_struct(b'').replace(b'<name>a</name>', b'<value><struct></struct></value>'),
    'a name too few': in_struct(b'').replace(b'<name>a</name>', b''),
    'a deep name': response({'a': [{}]}).replace(b'<struct>\n</struct>', b'<struct><member><value><int>1</int></value><value>2</value></member></struct>'),
    'nine levels': response(nested(9)),
    'a thousand levels': in_struct(b'<array><data><value>' * 1000 + b'</value></data></array>' * 1000),
    'a bad number': in_struct(b'<int>x</int>'), 'a long number': in_struct(b'<int>' + b'9' * 5000 + b'</int>'),
    'a bad truth': in_struct(b'<boolean>2</boolean>'), 'a bad time': in_struct(b'<dateTime.iso8601>now</dateTime.iso8601>'),
    'bad bytes': in_struct(b'<base64>a</base64>'), 'an unknown type': in_struct(b'<blob>x</blob>'),
    'a type of its own': in_struct(b'<bigdecimal>1</bigdecimal>'),
    'ends only': b'</value>', 'a struct without a start': b'<params></struct></params>',
    'a document type': b'<!DOCTYPE x>' + response(ADA),
    'a document type elsewhere': b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">' + response(ADA),
    'laughs': LAUGHS + in_struct(b'&j;'),
    'a file': b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + in_struct(b'&f;'),
    'an unknown entity': in_struct(b'&f;'), 'bad UTF-8': in_struct(b'\xff'),
    'an unknown encoding': b'<?xml version="1.0" encoding="rot13"?>' + response(ADA),
}


class TestAnswer:
    """What is understood."""

    def test_values(self, serve):
        """All types arrive, as Python has them."""
        assert ask(serve(sending(http(response(VALUES))))) == VALUES

    def test_eight_levels(self):
        """As deep as that structs may be."""
        assert read_profile(response(nested(8))) == nested(8)

    def test_encodings(self):
        """The XML may say another encoding that the parser knows."""
        for encoding in ('iso-8859-1', 'utf-16'):
            answer = f'<?xml version="1.0" encoding="{encoding}"?>{in_struct(b"x").decode()}'
            assert read_profile(answer.replace('x</', 'é</').encode(encoding)) == {'a': 'é'}

    @pytest.mark.parametrize('name', NO_PROFILES)
    def test_no_profile(self, serve, name):
        """Whatever else comes is no profile, and nothing of it is in the message."""
        with pytest.raises(BadAnswer) as caught:
            ask(serve(sending(http(NO_PROFILES[name]))))
        assert re.fullmatch(r'[A-Za-z0-9 ,-]+', str(caught.value))
        assert 'ada' not in str(caught.value)
        assert caught.value.__cause__ is None

    def test_document_types_are_refused_as_such(self):
        """Not only by what the parser of this machine happens to forbid."""
        for name in ('a document type', 'a document type elsewhere', 'laughs', 'a file'):
            with pytest.raises(ValueError, match='a document type'):
                profileserver.unmarshal(NO_PROFILES[name])

    @pytest.mark.parametrize('status', [
        '201 Created', '204 No Content', '301 Moved', '302 Found', '307 Temporary',
        '308 Permanent', '401 Unauthorized', '404 Not Found', '500 Oops', '503 Away'])
    def test_statuses(self, serve, status):
        """Only 200 is an answer; nobody is followed elsewhere."""
        other = serve(sending(GOOD))
        server = serve(sending(http(response(ADA), status, f'Location: {other.url}/RPC2',
                                    'WWW-Authenticate: Basic realm="x"')))
        with pytest.raises(BadAnswer, match=f'status {status[:3]}'):
            ask(server)
        assert len(server.requests) == 1 and not other.requests

    def test_longest(self, serve):
        """64 KB are taken, and not a byte more."""
        size = MAX_ANSWER - len(response({'a': ''}))
        assert ask(serve(sending(http(response({'a': 'x' * size})))))['a'] == 'x' * size
        with pytest.raises(BadAnswer, match='more than 64 KB'):
            ask(serve(sending(http(response({'a': 'x' * (size + 1)})))))

    def test_compressed(self, serve):
        """What nobody asked to be compressed is not unpacked."""
        bomb = gzip.compress(response({'a': 'x' * 10_000_000}))
        assert len(bomb) < MAX_ANSWER
        with pytest.raises(BadAnswer, match='no XML-RPC'):
            ask(serve(sending(http(bomb, '200 OK', 'Content-Encoding: gzip'))))


OK = b'HTTP/1.1 200 OK\r\n'
CHUNKED = OK + b'Transfer-Encoding: chunked\r\n\r\n'
ENDLESS = {
    'body': (b'x' * 1000, OK + b'\r\n'),
    'long body': (b'x' * 1000, OK + b'Content-Length: 99999999999999999999\r\n\r\n'),
    'chunks': (b'3e8\r\n' + b'x' * 1000 + b'\r\n', CHUNKED),
    'status line': (b'x' * 1000,),
    'header': (b'x' * 1000, OK + b'X: '),
    'headers': (b'X: y\r\n', OK),
    'refusal': (b'x' * 1000, b'HTTP/1.1 500 Oops\r\n\r\n'),
    'promises': (b'HTTP/1.1 100 Continue\r\n\r\n',),
    'chunk size': (b'0' * 1000, CHUNKED),
    'trailer': (b'X: y\r\n', CHUNKED + b'5\r\n<oops\r\n0\r\n'),
}
SLOW = {
    'everything': GOOD,
    'status line': b'HTTP/1.1 200 ' + b'O' * 400 + b'\r\n\r\n' + response(ADA),
    'headers': OK + b'X: y\r\n' * 90 + b'\r\n' + response(ADA),
    'body': OK + b'\r\n' + response(ADA),
    'chunks': CHUNKED + b''.join(b'1\r\n%c\r\n' % each for each in response(ADA)) + b'0\r\n\r\n',
    'promises': b'HTTP/1.1 100 Continue\r\n\r\n' * 20 + GOOD,
}
NO_HTTP = {
    'nothing': b'', 'garbage': b'\x00\xff' * 50, 'no version': b'ada\r\n\r\n',
    'a bad status': b'HTTP/1.1 ada OK\r\n\r\n', 'another protocol': b'SSH-2.0-OpenSSH_9.2\r\n',
    'a bad chunk': CHUNKED + b'zz\r\n', 'a short chunk': CHUNKED + b'5000\r\n<',
}


class TestHostile:
    """A server that does harm is away."""

    @pytest.mark.parametrize('name', ENDLESS)
    def test_endless(self, serve, name):
        """What never ends is left, at the latest when there was time enough."""
        tired = threading.Event()
        with pytest.raises((ServerAway, BadAnswer)):
            ask(serve(for_ever(*ENDLESS[name], tired=tired)), WAIT)
        assert not tired.is_set()

    @pytest.mark.parametrize('name', SLOW)
    def test_slow(self, serve, name):
        """What would be a profile some seconds later is not waited for, though each
        byte comes soon after the last."""
        server = serve(dripping(SLOW[name]))
        with pytest.raises(ServerAway, match='TimeoutError'):
            ask(server, WAIT)

    def test_slow_but_in_time(self, serve):
        """What comes in time is taken, in however many pieces."""
        assert ask(serve(dripping(GOOD, pause=0))) == ADA

    @pytest.mark.parametrize('name', NO_HTTP)
    def test_no_http(self, serve, name):
        """What is no answer of a web server, or only the first part of one."""
        with pytest.raises(ServerAway) as caught:
            ask(serve(sending(NO_HTTP[name])))
        assert re.fullmatch('[A-Za-z]+', str(caught.value))
        assert caught.value.__cause__ is None

    def test_silent(self, serve):
        """It takes the call and says nothing."""
        server = serve(lambda connection, request: connection.recv(1))
        with pytest.raises(ServerAway, match='TimeoutError'):
            ask(server, WAIT)

    def test_nobody_there(self):
        """Nothing listens."""
        with socket.create_server(('127.0.0.1', 0)) as one:
            url = f'http://127.0.0.1:{one.getsockname()[1]}'
        with pytest.raises(ServerAway, match='ConnectionRefusedError'):
            ProfileServer(url, 'm', NORMAL_WAIT).ask('ada')

    def test_no_time(self, serve):
        """Connecting takes of the time, too."""
        server = serve(sending(GOOD))
        with pytest.raises(ServerAway, match='TimeoutError'):
            ask(server, 1e-9)

    def test_nothing_stays_open(self, serve):
        """Each caller hangs up, however it went (ResourceWarnings are errors)."""
        for act in (sending(GOOD), sending(b''), sending(http(b'', '301 Moved')),
                    for_ever(b'x')):
            with contextlib.suppress(ServerAway, BadAnswer):
                ask(serve(act), WAIT)
        gc.collect()


@pytest.fixture(scope='module')
def authority():
    return trustme.CA()


class TestTls:
    """https."""

    @staticmethod
    def context(authority, *names):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        return context

    @pytest.fixture
    def trusted(self, authority, tmp_path, monkeypatch):
        """The authority is one of the system's."""
        authority.cert_pem.write_to_path(str(tmp_path / 'ca.pem'))
        monkeypatch.setenv('SSL_CERT_FILE', str(tmp_path / 'ca.pem'))

    def test_trusted(self, serve, authority, trusted):
        """A server with a good certificate is asked."""
        server = serve(sending(GOOD), tls=self.context(authority, '127.0.0.1'))
        assert ask(server) == ADA

    def test_slow(self, serve, authority, trusted):
        """The time is short here, too."""
        server = serve(dripping(GOOD), tls=self.context(authority, '127.0.0.1'))
        with pytest.raises(ServerAway, match='TimeoutError'):
            ask(server, WAIT)

    def test_unknown_authority(self, serve, authority):
        """A certificate of somebody unknown is none, and nothing is sent."""
        server = serve(sending(GOOD), tls=self.context(authority, '127.0.0.1'))
        with pytest.raises(ServerAway, match='SSLCertVerificationError'):
            ask(server)
        assert not server.requests

    def test_another_name(self, serve, authority, trusted):
        """Neither is that of another host."""
        server = serve(sending(GOOD), tls=self.context(authority, 'example.org'))
        with pytest.raises(ServerAway, match='SSLCertVerificationError'):
            ask(server)

    def test_no_tls(self, serve):
        """A server that speaks plain http is not taken for one that does not."""
        server = serve(sending(GOOD))
        server.url = server.url.replace('http:', 'https:')
        with pytest.raises(ServerAway):
            ask(server, WAIT)

    def test_silent_handshake(self):
        """One that takes the connection and says nothing is left."""
        with socket.create_server(('127.0.0.1', 0)) as silent:
            url = f'https://127.0.0.1:{silent.getsockname()[1]}'
            with pytest.raises(ServerAway, match='TimeoutError'):
                ProfileServer(url, 'm', WAIT).ask('ada')


@pytest.fixture
def ticks():
    return Clock()


@pytest.fixture
def site(serve, make_site, probe, ticks):
    """Builds a visitor of a site with the filter, and the server that it asks."""
    def make(act=telling({'ada': ADA, 'bob': {'email': 'bob@example.org'}}), wrap=None, wait=NORMAL_WAIT):
        server = serve(act)
        app = ProfileFilter(probe, server.url, wait=wait, clock=ticks)
        visitor = Visitor(make_site(wrap(app) if wrap else app))
        visitor.server, visitor.profiles = server, app.profiles
        return visitor
    return make


def read(environ):
    """Something for a probe to do: read the profile."""
    return dict(environ['session.profile'])


class TestFilter:
    """environ['session.profile']"""

    def test_a_user(self, site, probe):
        """It is a mapping of what the server says of the user who is logged in."""
        visitor = site()
        probe.act = login('ada')
        visitor.get()
        probe.act = read
        visitor.get()
        assert probe.result == ADA
        mapping = probe.environ['session.profile']
        assert mapping['email'] == 'ada@example.org' and mapping.get('none') is None
        assert len(mapping) == 2 and 'full_name' in mapping and list(mapping) == list(ADA)
        assert mapping == ADA
        assert visitor.server.users == ['ada']

    def test_not_read(self, site, probe):
        """Nobody is asked while nobody reads, however environ is handled."""
        def handle(environ):
            return repr(environ), environ.copy(), 'session.profile' in environ
        visitor = site()
        probe.act = login('ada')
        visitor.get()
        probe.act = handle
        for _ in range(3):
            visitor.get()
            assert '<Profile, not read>' in probe.result[0]
        assert visitor.server.requests == []

    def test_anonymous(self, site, probe):
        """For nobody it is empty, and nobody is asked."""
        visitor = site()
        probe.act = read
        visitor.get()
        visitor.get(REMOTE_USER='')
        assert probe.result == {} and visitor.server.requests == []

    def test_asked_once(self, site, probe, ticks):
        """One answer serves all requests for five minutes, and then another."""
        visitor = site()
        probe.act = read
        for seconds, calls in ((0, 1), (0, 1), (299, 1), (1, 2), (299, 2)):
            ticks.move(seconds)
            visitor.get(REMOTE_USER='ada')
            assert probe.result == ADA
            assert visitor.server.users == ['ada'] * calls

    def test_users_apart(self, site, probe):
        """Each user has his own profile; who is not known has an empty one."""
        visitor = site()
        probe.act = read
        for user, expected in (('ada', ADA), ('bob', {'email': 'bob@example.org'}), ('eve', {}),
                               ('ada', ADA), ('eve', {})):
            visitor.get(REMOTE_USER=user)
            assert probe.result == expected
        assert visitor.server.users == ['ada', 'bob', 'eve']

    def test_user_is_text(self, site, probe):
        """The server is told text, of the cookie's login and of an outer user; of bytes
        that are no UTF-8, which as text would be another user, nothing."""
        visitor = site()
        probe.act = login('\u0141ukasz')
        visitor.get()
        probe.act = read
        visitor.get()
        visitor.get(REMOTE_USER='\u0141ukasz'.encode().decode('latin-1'))
        visitor.get(REMOTE_USER='\xe9')
        visitor.get(REMOTE_USER='\u20ac')
        assert visitor.server.users == ['\u0141ukasz']

    def test_outer_user(self, site, probe):
        """While a user from outside stands, the profile is his."""
        visitor = site()
        probe.act = login('ada')
        visitor.get()
        probe.act = read
        visitor.get(REMOTE_USER='bob')
        assert probe.result == {'email': 'bob@example.org'}

    def test_user_of_this_request(self, site, probe):
        """It is of who is logged in when it is first read, as the control says."""
        visitor = site()

        def login_and_read(environ):
            environ['session.control'].login('ada')
            return read(environ)
        probe.act = login_and_read
        visitor.get()
        assert probe.result == ADA

        def read_and_change(environ):
            before = read(environ)
            environ['session.control'].login('bob')
            return before, read(environ)
        probe.act = read_and_change
        visitor.get()
        assert probe.result == (ADA, ADA)

        def logout_and_read(environ):
            logout(environ)
            return read(environ)
        probe.act = logout_and_read
        visitor.get()
        assert probe.result == {}

    def test_assignment(self, site, probe):
        """A login by assignment is known with the next request."""
        visitor = site()

        def assign(environ):
            setting(REMOTE_USER='ada')(environ)
            return read(environ)
        probe.act = assign
        visitor.get()
        assert probe.result == {}
        probe.act = read
        visitor.get()
        assert probe.result == ADA

    @pytest.mark.parametrize('inside', [True, False])
    def test_namespace(self, serve, make_site, probe, inside):
        """Inside or outside of a namespace, an application reads the same."""
        url = serve(telling({'ada': ADA})).url
        urls = URLMap()
        urls['/a'] = (Namespace(ProfileFilter(probe, url), 'a', login=True) if inside
                      else ProfileFilter(Namespace(probe, 'a', login=True), url))
        visitor = Visitor(make_site(urls))
        probe.act = login('ada')
        visitor.get('/a')
        probe.act = read
        visitor.get('/a')
        assert probe.result == ADA

    def test_read_late(self, serve, make_site):
        """It can be read while the body is sent, and afterwards."""
        kept = []

        def application(environ, start_response):
            start_response('200 OK', [('Content-Type', 'text/plain')])
            kept.append(environ['session.profile'])
            yield kept[0]['full_name'].encode()
        app = ProfileFilter(application, serve(telling({'ada': ADA})).url)
        answer = Visitor(make_site(app)).get(REMOTE_USER='ada')
        assert answer.body == b'Ada Lovelace' and kept[0]['email'] == 'ada@example.org'

    def test_without_a_session_cookie(self, probe):
        """The first request says which order to write."""
        app = ProfileFilter(probe, 'http://127.0.0.1:1')
        with pytest.raises(ConfigError, match='pipeline = session profile application'):
            Request.blank('/').get_response(app)

    @pytest.mark.parametrize('args', [
        ('ftp://user:hush@127.0.0.1',), ('http://user:hush@',), ('http://user:hush@h:99999',),
        ('user:hush',), ('http://127.0.0.1', 'a b'), ('http://127.0.0.1', '')])
    def test_bad_arguments(self, probe, args):
        """What the ini file may not say, Python may not, either; no password is shown."""
        with pytest.raises(ConfigError, match='profile: it takes') as caught:
            ProfileFilter(probe, *args)
        assert 'hush' not in str(caught.value)

    def test_no_cycles(self, serve, make_site):
        """A request leaves nothing for the garbage collector."""
        def application(environ, start_response):
            start_response('200 OK', [])
            read(environ)
            return []
        app = make_site(ProfileFilter(application, serve(telling({'ada': ADA})).url))
        gc.collect()
        gc.disable()
        try:
            app({'REQUEST_METHOD': 'GET', 'REMOTE_USER': 'ada'}, lambda *args: None)
            assert not [each for each in gc.get_objects() if type(each) is Profile]
        finally:
            gc.enable()


class TestMapping:
    """What an application can do with it, and what it shows."""

    @pytest.fixture
    def mapping(self, site, probe):
        visitor = site(telling({'ada': {**ADA, 'lists': [[1], {'a': 'b'}]}}))
        visitor.get(REMOTE_USER='ada')
        return probe.environ['session.profile']

    def test_read_only(self, mapping):
        """It has no way to be changed."""
        with pytest.raises(TypeError):
            mapping['email'] = 'x'
        with pytest.raises(TypeError):
            del mapping['email']
        with pytest.raises(AttributeError):
            mapping.email = 'x'

    def test_changes_stay_inside(self, site, probe):
        """What one request does to a list in it, no other request sees."""
        visitor = site(telling({'ada': {'lists': [[1]]}}))
        for _ in range(2):
            visitor.get(REMOTE_USER='ada')
            mapping = probe.environ['session.profile']
            assert mapping['lists'] == [[1]]
            mapping['lists'][0].append(2)
            assert mapping['lists'] == [[1, 2]]
        assert len(visitor.server.requests) == 1

    def test_repr(self, mapping):
        """What debug pages show has nothing of the user in it."""
        assert repr(mapping) == '<Profile, not read>'
        assert mapping['email']
        assert repr(mapping) == str(mapping) == '<Profile, 3 names>'

    def test_copies(self, mapping):
        """A copy is a plain dictionary, and can go into a session."""
        plain = dict(mapping)
        for each in (copy.copy(mapping), copy.deepcopy(mapping),
                     pickle.loads(pickle.dumps(mapping))):
            assert type(each) is dict and each == plain

    def test_truth(self, mapping, site, probe):
        """It is true if something is known."""
        assert mapping
        site().get()
        assert not probe.environ['session.profile']


class Counting:
    """A profile server that answers what a test puts there, or raises it."""

    place = 'example.org:8000'

    def __init__(self, answer=None):
        self.answer = answer
        self.users = []

    def ask(self, user):
        self.users.append(user)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or {'name': user}


class TestRemembered:
    """What is remembered, for how long, and what when the server is away."""

    @pytest.fixture
    def server(self):
        return Counting()

    @pytest.fixture
    def profiles(self, server, ticks):
        return Profiles(server, 300, ticks)

    def test_away(self, site, probe, ticks, caplog):
        """The profile is empty, the answer is no 500, and one warning says so; nobody is
        asked for ten seconds, whoever comes."""
        visitor = site(sending(b''))
        probe.act = read
        for user in ('ada', 'bob', 'ada'):
            assert visitor.get(REMOTE_USER=user).status_int == 200
            assert probe.result == {}
        assert visitor.server.users == ['ada']
        assert [each.levelname for each in caplog.records] == ['WARNING']
        assert f'127.0.0.1:{visitor.server.port} gives no profile: RemoteDisconnected' in caplog.text
        visitor.server.act = telling({'bob': ADA})
        ticks.move(9.9)
        visitor.get(REMOTE_USER='bob')
        assert probe.result == {}
        ticks.move(0.1)
        visitor.get(REMOTE_USER='bob')
        assert probe.result == ADA and visitor.server.users == ['ada', 'bob']

    def test_away_but_remembered(self, profiles, server, ticks):
        """What is remembered still serves meanwhile."""
        profiles.get('ada')
        server.answer = ServerAway('x')
        assert profiles.get('bob') == {}
        assert profiles.get('ada') == {'name': 'ada'}
        ticks.move(10)
        assert profiles.get('ada') == {'name': 'ada'} and server.users == ['ada', 'bob']

    def test_one_goes_first(self, server, ticks):
        """After ten seconds one question is tried; who comes meanwhile does not wait."""
        profiles = Profiles(server, 300, ticks)
        server.answer = ServerAway('x')
        profiles.get('ada')
        ticks.move(10)
        seen = []

        def ask(user):
            if user == 'ada':
                seen.append(profiles.get('bob'))  # as another thread would, now
            return {'name': user}
        server.ask = ask
        assert profiles.get('ada') == {'name': 'ada'}
        assert seen == [{}]
        server.ask = Counting().ask
        assert profiles.get('bob') == {'name': 'bob'}  # it is back: at once

    def test_still_away(self, profiles, server, ticks):
        """While it stays away, it is asked once in ten seconds."""
        server.answer = ServerAway('x')
        for _ in range(60):
            for user in ('ada', 'bob', 'eve'):
                assert profiles.get(user) == {}
            ticks.move(1)
        assert len(server.users) == 6

    def test_bad_answer(self, profiles, server, ticks):
        """A bad answer of one user does not keep the others from being asked."""
        server.answer = BadAnswer('no struct')
        assert profiles.get('ada') == profiles.get('ada') == {}
        server.answer = None
        assert profiles.get('bob') == {'name': 'bob'}
        assert profiles.get('ada') == {}
        ticks.move(10)
        assert profiles.get('ada') == {'name': 'ada'}
        assert server.users == ['ada', 'bob', 'ada']

    def test_bad_answer_is_an_answer(self, profiles, server, ticks):
        """A server that gives a bad answer after it was away is back."""
        server.answer = ServerAway('x')
        profiles.get('ada')
        ticks.move(10)
        server.answer = BadAnswer('no struct')
        profiles.get('ada')
        server.answer = None
        assert profiles.get('bob') == {'name': 'bob'}

    def test_warnings(self, profiles, server, ticks, caplog):
        """At most one warning a minute; the others are for who debugs."""
        caplog.set_level(logging.DEBUG, 'paste_sessioncookie')
        server.answer = BadAnswer('no struct')
        for user in range(120):
            profiles.get(f'user {user}')
            ticks.move(1)
        levels = [record.levelname for record in caplog.records]
        assert len(levels) == 120 and levels.count('WARNING') == 2 and levels[60] == 'WARNING'
        assert 'user' not in caplog.text
        assert set(caplog.messages) == {
            'the profile server at example.org:8000 gives no profile: no struct'}

    def test_no_password_is_shown(self, site, probe, caplog, make_site):
        """Of the URL, the log has host and port."""
        probe.act = read
        app = ProfileFilter(probe, 'http://user:hush@127.0.0.1:1/hush2')
        Visitor(make_site(app)).get(REMOTE_USER='ada')
        assert 'at 127.0.0.1:1 gives' in caplog.text
        for word in ('user', 'hush', 'ada'):
            assert word not in caplog.text

    def test_bounded(self, profiles, server, monkeypatch):
        """Of many users, those are forgotten that were not read for the longest time."""
        monkeypatch.setattr(profile, 'MAX_USERS', 3)
        for user in ('ada', 'bob', 'eve', 'ada', 'joe'):
            profiles.get(user)
        server.users.clear()
        for user in ('ada', 'eve', 'joe'):
            profiles.get(user)
        assert server.users == []
        profiles.get('bob')
        assert server.users == ['bob'] and len(profiles._answers) == 3

    @pytest.mark.parametrize('answer', [None, ServerAway('x'), BadAnswer('x')])
    def test_simultaneous(self, answer, ticks):
        """Threads that ask for one user at the same time wait for one answer."""
        asked, others = threading.Event(), threading.Event()

        class Slow(Counting):
            def ask(self, user):
                if asked.is_set():
                    others.set()  # somebody else asks while this one waits
                asked.set()
                others.wait(0.3)
                return super().ask(user)
        server = Slow(answer)
        profiles = Profiles(server, 300, ticks)
        found = []
        threads = [threading.Thread(target=lambda: found.append(profiles.get('ada')))
                   for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert found == [{} if answer else {'name': 'ada'}] * 8
        assert server.users == ['ada']

    def test_several_users_at_once(self, ticks):
        """Who asks for another user does not wait."""
        both = threading.Barrier(2, timeout=PATIENCE)

        class Meeting(Counting):
            def ask(self, user):
                both.wait()
                return super().ask(user)
        profiles = Profiles(Meeting(), 300, ticks)
        other = threading.Thread(target=profiles.get, args=('bob',))
        other.start()
        assert profiles.get('ada') == {'name': 'ada'}
        other.join(PATIENCE)
        assert profiles.get('bob') == {'name': 'bob'}
