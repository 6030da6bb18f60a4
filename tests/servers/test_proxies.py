"""The configurations of docs/howto/behind-a-proxy, in front of the demonstration."""
import dataclasses
import shutil

import conversation
import pytest
from client import COOKIE, Visitor
from process import ROOT, Site
from proxies import EXAMPLES, KINDS, Proxy
from surroundings import missing
from table import SERVERS

PAGE = (ROOT / 'docs' / 'howto' / 'behind-a-proxy.rst').read_text(encoding='utf-8')

# what a visitor says of himself: that he came in the clear, from elsewhere, to another
# host, and where the application is mounted
LIES = [f'{name}: {value}'.encode() for name, value in {
    'Forwarded': 'for=203.0.113.6;proto=http;host=evil.example',
    'X-Forwarded-For': '203.0.113.6', 'X_Forwarded_For': '203.0.113.6',
    'X-Forwarded_For': '203.0.113.6', 'X-Forwarded-Host': 'evil.example',
    'X_Forwarded_Host': 'evil.example', 'X-Forwarded-Proto': 'http',
    'X_Forwarded_Proto': 'http', 'X-Forwarded-Protocol': 'http',
    'X-Forwarded-Scheme': 'http', 'X_Forwarded_Scheme': 'http',
    'X-Forwarded-Server': 'evil.example', 'X-Forwarded-Ssl': 'off',
    'SCRIPT_NAME': '/probe', 'PATH_INFO': '/probe'}.items()]

MOST_TRUSTING = SERVERS[0]   # egg:PasteDeploy#prefix
# Apache does not drop what has underscores: there, no header is believed
NO_HEADERS = dataclasses.replace(
    MOST_TRUSTING, files=('paste-http.ini', '../proxies/https.ini'))
BEHIND = {**dict.fromkeys(KINDS, MOST_TRUSTING), 'apache': NO_HEADERS}


class Behind(Site):
    """The site of visitors who come through a proxy."""

    def __init__(self, server, folder, kind):
        super().__init__(server, folder)
        (folder / 'proxy').mkdir()
        self.proxy = Proxy(kind, folder / 'proxy', self.port)

    def __enter__(self):
        super().__enter__()
        self.proxy.__enter__()
        return self

    def __exit__(self, *exc_info):
        self.proxy.__exit__()
        super().__exit__()

    def visitor(self, cookie=''):
        return Visitor(self.proxy.address, cookie)


def behind(name, folder):
    kind = KINDS[name]
    if shutil.which(kind.command[0]) is None:
        missing(f'there is no {kind.command[0]}: apt-get install {kind.package}')
    return Behind(BEHIND[name], folder, kind)


@pytest.fixture(scope='module', params=KINDS)
def site(request, tmp_path_factory):
    with behind(request.param, tmp_path_factory.mktemp('site')) as site:
        yield site


@pytest.mark.parametrize('case', [
    conversation.logs_in_and_out, conversation.largest_cookie, conversation.high_bytes])
def test_conversation(site, case):
    """Through a proxy all is as without."""
    assert case(site) == conversation.CASES[case]


def test_two_lines(site):
    """No proxy makes one of two Cookie lines: ours is found where it is the first."""
    assert conversation.two_lines(site) == 'first'


def test_comes_by_https(site):
    """The application knows that its visitors come by https, and to which host."""
    seen = site.visitor().probe()
    assert (seen['wsgi.url_scheme'], seen['HTTP_HOST']) == ('https', 'localhost')


def test_nobody_lies(site):
    """What a visitor says of himself, and only a proxy has to say, is not believed."""
    visitor = site.visitor()
    visitor.get('/')
    assert visitor.probe(*LIES, path='/probe/') == visitor.probe(path='/probe/')


def test_cache_of_nginx(tmp_path):
    """Its cache keeps a visitor's page from the others."""
    site = behind('nginx', tmp_path)
    text = (EXAMPLES / 'nginx.conf').read_text()
    text = text.replace('http {', 'http {\n proxy_cache_path cache keys_zone=all:1m;', 1)
    site.proxy.write(text.replace(
        'location / {', 'location / {\n proxy_cache all; proxy_cache_valid 200 1h;'
        '\n add_header Cached $upstream_cache_status;', 1), site.port)
    with site:
        grace = site.grace()
        assert [grace.probe()['user'] for _ in range(2)] == ['grace'] * 2
        assert grace.last.headers['Cached'] == 'HIT'
        visitor = site.visitor()
        assert visitor.probe()['user'] == ''
        assert visitor.last.cookies[0].startswith(COOKIE)


def test_page_has_them():
    """The page has each file of the examples, and no file is left out."""
    assert {kind.file for kind in KINDS.values()} | {'https.ini'} == {
        path.name for path in EXAMPLES.iterdir()}
    for path in EXAMPLES.iterdir():
        assert f'/examples/proxies/{path.name}\n' in PAGE
