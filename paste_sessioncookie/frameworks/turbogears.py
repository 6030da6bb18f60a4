"""
TurboGears 2 takes its session ID from the site
===============================================

``tg.session`` in Beaker's stores, without Beaker's cookie::

    config = FullStackApplicationConfigurator()
    config.replace('session', SiteSessions)

or, where there are no sessions yet::

    config = MinimalApplicationConfigurator()
    config.register(SiteSessions)

Whoever is logged in to the site is TurboGears' user with another line::

    config.register(SiteIdentity)

Configuration: ``session.enabled``, Beaker's options of a session, and
``session.carry``, as in :mod:`paste_sessioncookie.frameworks.beaker`.
"""
from __future__ import annotations

from typing import Any

from tg.appwrappers import session as peer
from tg.appwrappers.base import ApplicationWrapper
from tg.appwrappers.identity import IdentityApplicationWrapper
from tg.configurator.base import ConfigurationComponent
from tg.configurator.components.session import SessionConfigurationComponent
from tg.support.converters import asbool

from . import profile_of, site_user
from .beaker import SiteSessionObject, StoredSession, read_options


# the name is what other wrappers find their place by
class SessionApplicationWrapper(peer.SessionApplicationWrapper):  # type: ignore[misc]
    """``tg.session`` and ``environ['beaker.session']``, saved after the controller."""

    def __init__(self, handler: Any, config: Any) -> None:
        ApplicationWrapper.__init__(self, handler, config)
        self.enabled = asbool(config.get('session.enabled', True))
        if self.enabled:
            self.options = read_options('SiteSessions', config, others=['enabled'])

    def __call__(self, controller: Any, environ: dict[str, Any], context: Any) -> Any:
        """An application wrapper of TurboGears: the response."""
        context.session = session = SiteSessionObject(environ, **self.options)
        environ['beaker.session'] = session
        environ['beaker.get_session'] = self._get_session
        if 'paste.testing_variables' in environ:
            environ['paste.testing_variables']['session'] = session
        response = self.next_handler(controller, environ, context)
        if session.accessed():
            session.persist()
        return response

    def _get_session(self, session_id: str | None = None) -> StoredSession:
        return StoredSession({}, id=session_id, **self.options)


class SiteSessions(SessionConfigurationComponent):  # type: ignore[misc]
    """The component ``session``, with IDs from the site."""

    def on_bind(self, configurator: Any) -> None:
        configurator.register_application_wrapper(SessionApplicationWrapper, after=True)


class SiteIdentityApplicationWrapper(ApplicationWrapper):  # type: ignore[misc]
    """Tells TurboGears who is logged in to the site, if it knows nobody itself."""

    def __call__(self, controller: Any, environ: dict[str, Any], context: Any) -> Any:
        """An application wrapper of TurboGears: the response."""
        identity = site_user(environ)
        if identity is not None and environ.get('repoze.who.identity') is None:
            environ['repoze.who.identity'] = {
                'repoze.who.userid': identity.user, 'session.identity': identity,
                'session.profile': profile_of(environ)}
        return self.next_handler(controller, environ, context)


class SiteIdentity(ConfigurationComponent):  # type: ignore[misc]
    """The component ``site_identity``: ``request.identity`` is the site's user."""

    id = 'site_identity'

    def on_bind(self, configurator: Any) -> None:
        configurator.register_application_wrapper(
            SiteIdentityApplicationWrapper, after=IdentityApplicationWrapper)
