"""A security policy of the application's own, with the site's login in it."""
from pyramid.authorization import ACLHelper, Authenticated, Everyone
from pyramid.interfaces import ISecurityPolicy
from zope.interface import implementer

from paste_sessioncookie.frameworks.pyramid import SiteLoginHelper

ADMINISTRATORS = {'bob'}


@implementer(ISecurityPolicy)
class Policy:
    def __init__(self):
        self.site = SiteLoginHelper()
        self.acl = ACLHelper()

    def identity(self, request):
        return self.site.identify(request)

    def authenticated_userid(self, request):
        return self.site.authenticated_userid(request)

    def permits(self, request, context, permission):
        principals = [Everyone]
        user = self.authenticated_userid(request)
        if user is not None:
            principals += [Authenticated]
        if user in ADMINISTRATORS:
            principals += ['role:administrator']
        return self.acl.permits(context, principals, permission)

    def remember(self, request, userid, **kw):
        return self.site.remember(request, userid, **kw)

    def forget(self, request, **kw):
        return self.site.forget(request, **kw)
