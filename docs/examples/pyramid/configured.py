"""The same, configured in Python."""
from cachelib import FileSystemCache
from pyramid.config import Configurator

import shop


def main(global_config, **settings):
    settings.update({
        'site_session.store': FileSystemCache(settings['sessions'], threshold=100_000),
        'site_session.carry': ['basket'],
        'site_session.security': True,
        'site_session.make_user': shop.make_user,
    })
    with Configurator(settings=settings, root_factory=shop.Shop) as config:
        config.include('paste_sessioncookie.frameworks.pyramid')
        config.include(shop.views)
        return config.make_wsgi_app()
