"""
Pyramid takes its session ID from the site
==========================================

``request.session`` lies on the server, under the ID of the site's cookie, and
the site's login can be Pyramid's security policy.  In the section of the
application::

    pyramid.includes = paste_sessioncookie.frameworks.pyramid
    site_session.store = file:%(here)s/sessions

Configuration (each name with ``site_session.`` in front; from Python, the
values may be objects):

``store`` (required)
    ``file:DIRECTORY``, ``redis://...`` (also ``rediss:`` and ``unix:``),
    ``memory`` (one process), or the dotted name of a cache of cachelib or of
    what makes one; it keeps a session for as long as the site's cookie can last
``carry``
    the keys that an anonymous visitor's session takes along when he logs in
``security``
    true: :class:`SiteSecurityPolicy` is the security policy
``make_user``
    the dotted name of its ``make_user(identity, profile)``

The rooms of this package::

    session     SiteSession, over a cache
    store       the option ``store``
    login       SiteSecurityPolicy, and SiteLoginHelper for other policies
    tween       requests that fail
    settings    what is configured, here and for pyramid_redis
"""
from __future__ import annotations

from pyramid.config import Configurator

from .login import SiteLoginHelper, SiteSecurityPolicy
from .session import SiteSession, session_factory
from .settings import CARRY, add_login, settings_section
from .tween import success_tween_factory

__all__ = ['SiteLoginHelper', 'SiteSecurityPolicy', 'SiteSession', 'includeme',
           'session_factory', 'success_tween_factory']


def includeme(config: Configurator) -> None:
    """
    Pyramid's entry point: ``paste_sessioncookie.frameworks.pyramid``.

    Raises ConfigError with all faults of the settings.
    """
    from .store import OBJECTS, OPTIONS, STORE  # with cachelib, not for pyramid_redis
    values = settings_section(config, __name__, OPTIONS, OBJECTS).finish()
    config.set_session_factory(session_factory(values[STORE], values[CARRY]))
    add_login(config, values)
