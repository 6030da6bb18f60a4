"""pyramid_beaker's own tests, natively and through us.

    python tests/peers/pyramid_beaker.py
"""
from __future__ import annotations

from pathlib import Path

import common

PYRAMID_BEAKER = 'pyramid_beaker==0.9'

EXPECTED = {
    **common.expect('it looks for a Set-Cookie header: the cookie is the filter\'s', (
        'test_peer.TestPyramidBeakerSessionObject.test_callback',
        'test_peer.Test_session_cookie_on_exception'
        '.test_request_call_back_without_cookie_on_exception')),
    **common.expect('it compares all options: "key" is ignored, and defaults are there', (
        'test_peer.Test_session_factory_from_settings.test_it',)),
}


def run(folder: Path) -> bool:
    """pyramid_beaker's own tests, natively and through us."""
    place = common.prepare(folder, PYRAMID_BEAKER, 'pytest', 'Beaker>=1.14', 'pyramid>=2')
    # the installed package is tested, not the one beside the tests
    (place.folder / 'pyramid_beaker' / 'tests.py').rename(place.folder / 'test_peer.py')
    (place.folder / 'pyramid_beaker').rename(place.folder / 'source')
    return common.compare(
        PYRAMID_BEAKER, common.pytest(place, None, 'test_peer.py'),
        common.pytest(place, 'pyramid_beaker_plugin', 'test_peer.py'), EXPECTED)


if __name__ == '__main__':
    common.main(run)
