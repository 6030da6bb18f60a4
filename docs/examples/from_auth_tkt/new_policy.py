"""A security policy whose login is the site's."""
from paste_sessioncookie.frameworks.pyramid import SiteLoginHelper


class Policy:
    def __init__(self):
        self.login = SiteLoginHelper()

    def identity(self, request):
        return self.login.authenticated_userid(request)

    def authenticated_userid(self, request):
        return self.identity(request)

    def permits(self, request, context, permission):
        return self.identity(request) is not None

    def remember(self, request, userid, **kw):
        return self.login.remember(request, userid, **kw)

    def forget(self, request, **kw):
        return self.login.forget(request, **kw)
