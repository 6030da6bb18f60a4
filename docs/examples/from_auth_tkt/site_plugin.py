"""A plugin for repoze.who: the site's login, in the place of auth_tkt's."""
from repoze.who.interfaces import IAuthenticator, IIdentifier
from zope.interface import implementer


@implementer(IIdentifier, IAuthenticator)
class SiteLogin:
    def identify(self, environ):
        login = environ['session.control'].identity
        if login is not None:
            return {'site.user': login.user, 'tokens': login.tokens}

    def authenticate(self, environ, identity):
        return identity.get('site.user')

    def remember(self, environ, identity):
        # who is in already may have been logged out meanwhile
        if 'site.user' not in identity:
            environ['session.control'].login(identity['repoze.who.userid'])

    def forget(self, environ, identity):
        environ['session.control'].logout()
        return []
