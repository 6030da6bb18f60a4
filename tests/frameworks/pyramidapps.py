"""Pyramid applications for the tests of its adapters."""
from contract import LoginContract
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.security import forget, remember

from paste_sessioncookie.frameworks.pyramid import SiteSecurityPolicy

ADAPTER = 'paste_sessioncookie.frameworks.pyramid'


def answer(result):
    """A response of what a test's view returns."""
    if hasattr(result, '__next__'):
        return Response(app_iter=result, content_type='text/plain')
    return result if isinstance(result, Response) else Response(
        str(result), content_type='text/plain')


def one_view(view, **options):
    """An application that answers everything with ``view(request)``;
    ``options`` are those of Configurator, and ``setup``, called with it."""
    setup = options.pop('setup', None)

    def pyramid_view(request):
        return answer(view(request))
    with Configurator(**options) as config:
        if setup is not None:
            setup(config)
        config.add_route('any', '/*any')
        config.add_view(pyramid_view, route_name='any')
        return config.make_wsgi_app()


class PolicyContract(LoginContract):
    """The security policy, beside the sessions of ``sessions()``, a factory."""

    def login_application(self, view):
        def with_request(request):
            self.request = request
            return view(request.session)
        return one_view(
            with_request, session_factory=self.sessions(),
            security_policy=SiteSecurityPolicy(lambda identity, profile: (
                identity.user if identity.user in ('bob', 'eve') else None)))

    def who(self, session):
        return self.request.authenticated_userid or '-'

    def log_in(self, session, user):
        remember(self.request, user)

    def log_out(self, session):
        forget(self.request)
