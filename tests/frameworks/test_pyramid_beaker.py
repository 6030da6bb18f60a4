"""pyramid_beaker takes its session ID from the site."""
import os

import pytest
from conftest import Visitor
from contract import Contract, untouched

from paste_sessioncookie import ConfigError

if 'CI' not in os.environ:
    pytest.importorskip(
        'pyramid_beaker', reason='needs pip install paste_sessioncookie[pyramid-beaker]')

import beaker.cache
from pyramid.config import Configurator
from pyramid.response import Response

from paste_sessioncookie.frameworks.pyramid_beaker import (
    BeakerSessionFactoryConfig, session_factory_from_settings)


class TestPyramidBeaker(Contract):
    """This session needs no ``save()``: it notices what is assigned."""

    @pytest.fixture(autouse=True)
    def _store(self, tmp_path):
        self.folder = tmp_path

    def settings(self):
        return {'session.type': 'file', 'session.data_dir': str(self.folder)}

    def application(self, view, carry=()):
        def pyramid_view(request):
            result = view(request.session)
            if hasattr(result, '__next__'):
                return Response(app_iter=result, content_type='text/plain')
            return Response(str(result), content_type='text/plain')
        settings = {**self.settings(), 'session.carry': ' '.join(carry)}
        with Configurator(settings=settings) as config:
            config.include('paste_sessioncookie.frameworks.pyramid_beaker')
            config.add_route('any', '/*any')
            config.add_view(pyramid_view, route_name='any')
            return config.make_wsgi_app()

    def renew(self, session):
        session.regenerate_id()

    def records(self):
        return {path.stem for path in self.folder.rglob('*.cache')}

    def test_pyramids_own_keys_are_kept(self, site):
        """The CSRF token and messages are in the session, and are not carried."""
        visitor = Visitor(site(untouched))
        token = self.ask(visitor, lambda session: session.get_csrf_token())
        assert self.ask(visitor, lambda session: session.get_csrf_token()) == token
        self.ask(visitor, lambda session: session.flash('hello'))
        assert self.ask(visitor, lambda session: session.pop_flash()[0]) == 'hello'
        for key in ('_csrft_', '_f_', 'auth.userid'):
            with pytest.raises(ConfigError, match=f'{key}: such a key may say'):
                BeakerSessionFactoryConfig(carry=[key])

    @pytest.mark.parametrize('word, count', [('true', 1), ('false', 0)])
    def test_a_view_that_fails(self, make_site, word, count):
        """cookie_on_exception says whether what it wrote is saved."""
        def fail(request):
            request.session['color'] = 'red'
            raise ZeroDivisionError('as the test wants it')

        def caught(error, request):
            return Response('caught', content_type='text/plain')
        settings = {**self.settings(), 'session.cookie_on_exception': word}
        with Configurator(settings=settings) as config:
            config.include('paste_sessioncookie.frameworks.pyramid_beaker')
            config.add_route('any', '/*any')
            config.add_view(fail, route_name='any')
            config.add_exception_view(caught, context=ZeroDivisionError)
            app = config.make_wsgi_app()
        assert Visitor(make_site(app)).get().text == 'caught'
        assert len(self.records()) == count


def test_settings():
    """Pyramid's two options are its own; faults name the setting."""
    factory = session_factory_from_settings({
        'session.constant_csrf_token': 'abc', 'beaker.session.timeout': '600',
        'session_cookie': 'not ours'})
    assert factory._constant_csrf_token == 'abc'
    assert factory._cookie_on_exception is True
    assert factory._options['timeout'] == 600
    with pytest.raises(ConfigError, match='timeout = soon: Session timeout must be an int'):
        session_factory_from_settings({'session.timeout': 'soon'})


def test_cache_regions(monkeypatch):
    """config.include() sets up the regions of Beaker's cache, as pyramid_beaker's does."""
    monkeypatch.setattr(beaker.cache, 'cache_regions', {})
    with Configurator(settings={'cache.regions': 'short_term'}) as config:
        config.include('paste_sessioncookie.frameworks.pyramid_beaker')
    assert 'short_term' in beaker.cache.cache_regions
