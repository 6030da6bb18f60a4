"""What the pages show is files that tests load or run."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / 'docs'
EXAMPLES = DOCS / 'examples'
PAGES = sorted(DOCS.rglob('*.rst'))
TESTS = '\n'.join(path.read_text('utf-8') for path in sorted((ROOT / 'tests').rglob('*.py')))
# written out in a page, and taken from there by test_docs.py; or another program's
INLINE = {'reference/options.rst': {'ini', 'python'}, 'howto/framework-authors.rst': {'python'}}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.stem)
def test_no_example_is_in_a_page(page):
    """Python and ini files are included, so that they can be run."""
    blocks = set(re.findall(r'code-block:: (ini|python|pycon)', page.read_text('utf-8')))
    assert blocks <= INLINE.get(str(page.relative_to(DOCS)), set())


@pytest.mark.parametrize('folder', sorted(
    path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_each_folder_has_a_test(folder):
    """Each folder of examples is named by a test, and by a page."""
    assert re.search(rf"'examples' / '{folder}'|examples/{folder}|EXAMPLES / '{folder}'", TESTS)
    assert any(f'examples/{folder}' in page.read_text('utf-8') for page in PAGES)


def test_no_balancer_believes_a_visitor():
    """The headers that nginx empties in front of one server, it empties in front of two."""
    proxy, balancer = (set(re.findall(r'proxy_set_header (\S+) "";', path.read_text('utf-8')))
                       for path in (EXAMPLES / 'proxies' / 'nginx.conf',
                                    EXAMPLES / 'several_servers' / 'nginx.conf'))
    assert proxy == balancer and len(proxy) > 5
