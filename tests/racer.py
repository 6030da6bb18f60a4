"""
One side of the race: a process, or a thread, with a filter of its own
======================================================================

It serves requests step by step, as it is told in lines of JSON, so that a test
can interleave the requests of two sides as it likes.  A line has steps of many
requests, which are independent of each other.
"""
import json
import sys

from paste_sessioncookie import SessionCookieHandler, engines


class Racer:
    """Serves a request for each name; every ``step`` goes to its next pause."""

    def __init__(self, option, secret):
        self.now = 0
        self.filter = SessionCookieHandler(
            application, secret=secret, clock=self.clock,
            revocations=engines.revocation(option, ''))
        self.requests = {}

    def clock(self):
        return self.now

    def step(self, name, now, cookie='', act=''):
        """The status of the request so far, its Set-Cookie, and who is logged in."""
        self.now = now
        if name not in self.requests:
            self.requests[name] = Request(self.filter, cookie, act)
        else:
            next(self.requests[name].body, None)
        return self.requests[name].answer()


class Request:
    """A navigation within the site."""

    def __init__(self, site, cookie, act):
        self.headers = None
        self.environ = {
            'REQUEST_METHOD': 'GET', 'wsgi.url_scheme': 'https', 'HTTP_COOKIE': cookie,
            'HTTP_SEC_FETCH_SITE': 'same-origin', 'test.act': act}
        self.body = iter(site(self.environ, self.start_response))

    def start_response(self, status, headers, exc_info=None):
        self.headers = headers

    def answer(self):
        control = self.environ['session.control']
        return {'status': control.status,
                'user': control.identity.user if control.identity else None,
                'cookies': [value for name, value in self.headers or ()
                            if name == 'Set-Cookie']}


def application(environ, start_response):
    """Does what it is told, with a pause before, and one after."""
    return steps(environ, environ['session.control'], start_response)


def steps(environ, control, start_response):
    act, *arguments = environ['test.act'].split(' ')
    if act == 'value':
        environ['paste.auth.cookie'].append('shop.basket')
        environ['shop.basket'] = arguments[0]
    elif act == 'idiom':
        environ['REMOTE_USER'] = arguments[0]
    elif act == 'groups':
        environ['REMOTE_USER_TOKENS'] = arguments[0]
    elif act in ('login', 'again'):
        control.login(arguments[0], arguments[1:], again=act == 'again')
    elif act:
        getattr(control, act)(*arguments)
    yield b''
    start_response('200 OK', [('Content-Type', 'text/plain')])
    yield b'ok'


def serve(lines, answer):
    """Until there are no more lines.  The first one has the engine and the secret;
    ``null`` says that all requests are over."""
    racer = Racer(**json.loads(next(lines)))
    for line in lines:
        orders = json.loads(line)
        answer(json.dumps([racer.step(**order) for order in orders or ()]))
        if orders is None:
            racer.requests.clear()


def write_line(line):
    sys.stdout.write(line + '\n')
    sys.stdout.flush()


if __name__ == '__main__':
    serve(iter(sys.stdin.readline, ''), write_line)
