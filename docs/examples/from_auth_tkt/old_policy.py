"""A security policy whose login is in a ticket of its own."""
from pyramid.authentication import AuthTktCookieHelper


class Policy:
    def __init__(self, secret):
        self.login = AuthTktCookieHelper(secret, timeout=1800, reissue_time=180)

    def identity(self, request):
        ticket = self.login.identify(request)
        return ticket and ticket['userid']

    def authenticated_userid(self, request):
        return self.identity(request)

    def permits(self, request, context, permission):
        return self.identity(request) is not None

    def remember(self, request, userid, **kw):
        return self.login.remember(request, userid, **kw)

    def forget(self, request, **kw):
        return self.login.forget(request, **kw)
