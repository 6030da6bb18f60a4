"""The house: imports only go down."""
import ast
from pathlib import Path

import paste_sessioncookie

HOUSE = Path(paste_sessioncookie.__file__).parent
# from the ground up; a room may import those before it
FLOORS = ['errors', 'encoding', 'sessionid', 'keyring', 'cache', 'signer',
          'headers', 'seldom', 'login', 'jws', 'revocation', 'revocation_store',
          'revocation_sqlite', 'revocation_redis', 'state', 'admission', 'control',
          'environ', 'options', 'profileserver', 'cookie', 'namespace',
          'requirelogin', 'profile']
PURE = FLOORS[:7]


def imported(path):
    """Names of the rooms, and of the modules outside, that a file imports."""
    rooms, outside = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            rooms.update([node.module.split('.')[0]] if node.module
                         else [alias.name for alias in node.names])
        elif isinstance(node, ast.ImportFrom):
            outside.add(node.module)
        elif isinstance(node, ast.Import):
            outside.update(alias.name for alias in node.names)
    return rooms, outside


def test_every_room_is_known():
    """A new file has its floor."""
    rooms = {path.stem for path in HOUSE.glob('*.py')} - {'__init__', '__main__'}
    assert rooms == set(FLOORS)


def test_imports_go_down():
    """No room imports one above it."""
    for level, room in enumerate(FLOORS):
        rooms, _ = imported(HOUSE / f'{room}.py')
        assert rooms <= set(FLOORS[:level]), room


def test_the_ground_floor_is_pure():
    """Nothing below has to do with environ, files or the network."""
    forbidden = {'os', 'socket', 'sqlite3', 'pathlib', 'http', 'wsgiref', 'logging'}
    for room in PURE:
        _, outside = imported(HOUSE / f'{room}.py')
        assert not {name.split('.')[0] for name in outside} & forbidden, room


def test_nothing_imports_the_demonstration():
    """The library does not need its demonstration, nor what only runs it."""
    for room in FLOORS:
        rooms, outside = imported(HOUSE / f'{room}.py')
        assert 'demo' not in rooms
        assert not {name.split('.')[0] for name in outside} & {
            'paste_sessioncookie', 'pkg_resources', 'webtest'}
        assert 'paste.script' not in outside


def test_few_public_names():
    """At most ten names are public, and all of them are there."""
    assert len(paste_sessioncookie.__all__) <= 10
    for name in paste_sessioncookie.__all__:
        assert getattr(paste_sessioncookie, name).__doc__
