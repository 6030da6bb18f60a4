"""
pyramid_beaker takes its session ID from the site
=================================================

Pyramid's sessions in Beaker's stores, with the names of pyramid_beaker and
its settings::

    config.include('paste_sessioncookie.frameworks.pyramid_beaker')

Configuration: the settings of pyramid_beaker, and ``session.carry``, as in
:mod:`paste_sessioncookie.frameworks.beaker`.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyramid_beaker as peer
from pyramid.config import Configurator
from pyramid.settings import asbool

from .beaker import SiteSessionObject, prefixed, read_options

# what pyramid_beaker itself reads
_PYRAMIDS = ('constant_csrf_token', 'cookie_on_exception')


def BeakerSessionFactoryConfig(**options: Any) -> Any:
    """A Pyramid session factory.  Raises ConfigError."""
    return _factory(options, read_options(
        'BeakerSessionFactoryConfig', {}, options, others=_PYRAMIDS))


def session_factory_from_settings(settings: Mapping[str, Any]) -> Any:
    """A Pyramid session factory, from an application's settings.  Raises
    ConfigError."""
    given = prefixed(settings)
    if 'cookie_on_exception' in given:
        given['cookie_on_exception'] = asbool(given['cookie_on_exception'])
    return _factory(given, read_options(
        'session_factory_from_settings', settings, others=_PYRAMIDS))


def _factory(given: Mapping[str, Any], options: dict[str, Any]) -> Any:
    base: Any = peer.BeakerSessionFactoryConfig(
        **options, **{name: given[name] for name in _PYRAMIDS if name in given})

    class PyramidBeakerSessionObject(SiteSessionObject, base):  # type: ignore[misc]
        """A Pyramid session (ISession)."""

    return PyramidBeakerSessionObject


def includeme(config: Configurator) -> None:
    """For ``config.include()``: the session factory, and Beaker's cache regions."""
    settings = config.registry.settings
    config.set_session_factory(session_factory_from_settings(settings))
    peer.set_cache_regions_from_settings(settings)
