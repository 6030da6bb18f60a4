"""The demonstration under each server: what is said to it, and what comes of that."""
import re

import pytest
from conversation import CASES, wait_until
from process import EXAMPLES, ROOT, Site
from run import attack, expected, is_installed
from surroundings import missing
from table import NOTHING, SERVERS

PAGE = (ROOT / 'docs' / 'howto' / 'servers.rst').read_text(encoding='utf-8')


PROCESSES = [server for server in SERVERS if server.processes is not NOTHING]


def need(server):
    if not is_installed(server):
        missing(f"{server.needs} is missing: pip install -e '.[servers]'")


@pytest.fixture(scope='module', params=SERVERS, ids=[server.name for server in SERVERS])
def site(request, tmp_path_factory):
    """A server that runs."""
    server = request.param
    need(server)
    with Site(server, tmp_path_factory.mktemp(server.name)) as site:
        yield site


@pytest.mark.parametrize('case', CASES, ids=[case.__name__ for case in CASES])
def test_conversation(site, case):
    """A case comes out as the table says."""
    assert case(site) == expected(site.server, case)


def test_attacks(site):
    """Nothing of the attack corpus harms anybody."""
    assert list(attack(site)) == []


@pytest.mark.parametrize('server', PROCESSES, ids=[server.name for server in PROCESSES])
def test_processes(server, tmp_path):
    """Two processes, with the list in a file: a log-out in one counts in both."""
    need(server)
    with Site(server, tmp_path, server.processes) as site:
        visitor = site.visitor()
        visitor.log_in()
        copy = visitor.cookie
        assert ask_both(site, copy) == {'ok'}
        visitor.log_out()
        assert ask_both(site, copy) == {'revoked'}


def ask_both(site, cookie):
    """What becomes of a cookie in both processes."""
    answers = []

    def both():
        answers.append(site.visitor(cookie).probe())
        return len({answer['pid'] for answer in answers}) == 2
    wait_until(both, 'the other process')
    return {answer['status'] for answer in answers}


@pytest.mark.parametrize('server', SERVERS, ids=[server.name for server in SERVERS])
def test_page_has_it(server):
    """The page on servers has each command and each file of the table."""
    assert server.command in ' '.join(re.sub(r'\\\n', '', PAGE).split())
    for name in server.files:
        assert f'/examples/servers/{name}\n' in PAGE


def test_page_has_nothing_else():
    """Each file of the examples is one that a server of the table takes."""
    used = {name for server in SERVERS for name in server.files}
    assert {each.name for each in EXAMPLES.iterdir() if each.suffix in ('.ini', '.py')} == used
