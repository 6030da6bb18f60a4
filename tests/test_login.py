"""login.py: who a user can be."""
import pytest

from paste_sessioncookie import login


@pytest.mark.parametrize('user, native', [
    ('bob', 'bob'), ('bob@example.org', 'bob@example.org'), ('Łukasz', 'Å\x81ukasz'),
    ('李', '\xe6\x9d\x8e'), (' ', ' '), ('a;b=c,"d"', 'a;b=c,"d"')])
def test_a_user_is_text(user, native):
    """In environ a user is UTF-8 read as latin-1; outside of it, text."""
    assert login.native_user(user) == native
    assert login.text_user(native) == user


@pytest.mark.parametrize('user, error', [
    ('', ValueError), ('a\nb', ValueError), ('\x7f', ValueError), ('\x00', ValueError),
    ('\ud800', ValueError), (None, TypeError), (b'bob', TypeError), (7, TypeError)])
def test_no_user(user, error):
    """Empty, with control characters, or no text: no user."""
    with pytest.raises(error):
        login.native_user(user)


@pytest.mark.parametrize('tokens, result', [
    ((), ()), (['staff'], ('staff',)), (('b', 'a', 'b'), ('b', 'a')), ({'x': 1}, ('x',))])
def test_tokens(tokens, result):
    """Tokens keep their order; one that comes twice counts once."""
    assert login.checked_tokens(tokens) == result


@pytest.mark.parametrize('tokens, error', [
    ('staff', TypeError), ([b'staff'], TypeError), ([None], TypeError),
    ([''], ValueError), (['a b'], ValueError), (['a,b'], ValueError), (['é'], ValueError)])
def test_no_tokens(tokens, error):
    """What cannot stand in a list with commas is no token, nor is one string."""
    with pytest.raises(error):
        login.checked_tokens(tokens)


def test_split_tokens():
    """REMOTE_USER_TOKENS is separated by commas; blanks around them do not count."""
    assert login.split_tokens('staff, admin,,x ') == ('staff', 'admin', 'x')
    assert login.split_tokens('') == ()


def test_make_login():
    """A new login has a random ID of its own."""
    one = login.make_login('Łukasz', ['staff'], 7, '/accounts')
    two = login.make_login('Łukasz', ['staff'], 7, '/accounts')
    assert one.id != two.id and len(one.id) == 32
    assert login.identity(one) == ('Łukasz', ('staff',), 7, '/accounts')
