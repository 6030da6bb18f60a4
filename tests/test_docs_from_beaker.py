"""
From Beaker
===========

What docs/howto/from-beaker.rst shows, with the real Beaker.
"""
import inspect
import os
import pathlib
import re
import shutil
import sys

import pytest
from paste.deploy import loadapp
from test_docs import rows_of_table
from webtest import TestApp

from paste_sessioncookie import ConfigError
from paste_sessioncookie.cookie import HOST_NAME

if 'CI' not in os.environ:
    pytest.importorskip('beaker', reason="needs pip install -e '.[test]'")
from beaker.session import Session  # noqa: E402
from beaker.util import coerce_session_params  # noqa: E402

from paste_sessioncookie.frameworks.beaker import IGNORED  # noqa: E402

DOCS = pathlib.Path(__file__).resolve().parent.parent / 'docs'
PAGE = (DOCS / 'howto' / 'from-beaker.rst').read_text('utf-8')
HTTPS = {'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443', 'SERVER_PORT': '443'}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the examples, to import from and to write into."""
    copy = pathlib.Path(shutil.copytree(DOCS / 'examples' / 'from_beaker', tmp_path / 'x'))
    monkeypatch.syspath_prepend(str(copy))
    for name in ('shop', 'shop_of_site'):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield copy
    for name in ('shop', 'shop_of_site'):
        sys.modules.pop(name, None)


def load(path):
    return TestApp(loadapp(f'config:{path}'), extra_environ=HTTPS)


@pytest.mark.parametrize('name, cookie', [('old.ini', 'shop_session'), ('new.ini', HOST_NAME)])
def test_the_application_stays(name, cookie, folder):
    """Basket, login and log-out of Beaker's session, before and after."""
    site = load(folder / name)
    site.get('/buy?item=tea')
    assert site.get('/login?user=bob').text == 'bob tea'
    assert site.get('/').text == 'bob tea'
    assert list(site.cookies) == [cookie]
    site.get('/logout')
    assert site.get('/').text == 'nobody'


def test_the_day(folder):
    """The old cookie finds nothing in the new site, and finds its session again in the old."""
    old, new = load(folder / 'old.ini'), load(folder / 'new.ini')
    old.get('/login?user=bob')
    header = {'Cookie': f'shop_session={old.cookies["shop_session"]}'}
    assert new.get('/', headers=header).text == 'nobody'
    assert load(folder / 'old.ini').get('/', headers=header).text == 'bob'


def shop_with_a_login(path):
    """A shop where a visitor took tea, and then logged in."""
    site = load(path)
    site.get('/buy?item=tea')
    site.get('/login?user=bob')
    return site


def test_the_sites_login(folder):
    """The changed shop logs in for the site; the basket needs carry."""
    path = folder / 'new.ini'
    path.write_text(path.read_text().replace('shop:make_app', 'shop_of_site:make_app'))
    site = shop_with_a_login(path)
    assert site.get('/').text == 'bob'
    site.get('/logout')
    path.write_text(path.read_text() + '[filter:carrying]\nuse = beaker\nsession.carry = basket\n')
    path.write_text(path.read_text().replace('session beaker shop', 'session carrying shop'))
    site = shop_with_a_login(path)
    assert site.get('/').text == 'bob tea'
    site.get('/logout')
    assert site.get('/').text == 'nobody'


def test_sessions_that_are_cookies(folder):
    """type = cookie is refused."""
    path = folder / 'new.ini'
    path.write_text(path.read_text().replace('type = file', 'type = cookie'))
    with pytest.raises(ConfigError, match='type = cookie'):
        load(path)


def test_the_table_is_complete():
    """Each option of Beaker's sessions has its row; the cookie's are those we do not use."""
    theirs = set(inspect.signature(Session).parameters) - {'request', 'namespace_args'}
    theirs |= set(re.findall(r"^ {8}\('(\w+)',", inspect.getsource(coerce_session_params), re.MULTILINE))
    rows = [(re.findall('``(.+?)``', row[0]), row[1]) for row in rows_of_table(PAGE, 'First the cookie')]
    assert theirs == {name for names, _ in rows for name in names}
    assert IGNORED == {name for names, now in rows for name in names if not now.startswith('stay')}
