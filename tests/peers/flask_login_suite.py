"""Flask-Login's own tests, natively and through us.

    python tests/peers/flask_login_suite.py
"""
from __future__ import annotations

from pathlib import Path

import common

FLASK_LOGIN = 'Flask-Login==0.6.3'


def run(folder: Path) -> bool:
    """Flask-Login's own tests, natively and through us."""
    place = common.prepare(folder, FLASK_LOGIN, 'pytest', 'asgiref', 'cachelib', 'Flask>=3',
                           'semantic_version')
    (place.folder / 'src').rename(place.folder / 'source')  # the installed one is tested
    return common.compare(
        FLASK_LOGIN, common.pytest(place, None, 'tests'),
        common.pytest(place, 'flask_login_suite_plugin', 'tests'), {})


if __name__ == '__main__':
    common.main(run)
