"""headers.py: Cookie in, Set-Cookie and its company out."""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paste_sessioncookie import headers
from paste_sessioncookie.headers import CookieFinder, CookieWriter

find = CookieFinder('sid').find
latin1 = st.text(st.characters(max_codepoint=0xff, blacklist_characters='\x00'))


@pytest.mark.parametrize('header, values', [
    ('', []), ('sid', []), ('sid=', ['']), ('sid=a', ['a']), ('sid=a;', ['a']),
    ('a=b; sid=c; d=e', ['c']), ('a=b;sid=c', ['c']), ('a=b;\t sid=c \t;d', ['c']),
    ('  sid=a', ['a']), ('sid=a=b', ['a=b']), ('sid= a b ', ['a b']),
    # other names
    ('xsid=a', []), ('sidx=a', []), ('SID=a', []), ('sid =a', []), ('a=sid=b', []),
    ('a="sid=b"', []), ('"sid=b', []), ('a=b sid=c', []),
    # planted by a sibling site
    ('foo=x,sid=a', []), ('foo=x, sid=a', []), ('sid=a,sid=b', ['a']), ('sid=a, x=y; sid=a', ['a']),
    (',sid=a', []), ('foo=x\nsid=a', []), ('foo=x\r\nsid=a', []), ('foo=x\xa0;\xa0sid=a', []),
    ('foo=x\x0b;\x0bsid=a', []), ('foo=x\x85sid=a', []),
    # odd neighbours
    ('a={"x":1}; sid=a', ['a']), ('a[b]=1; sid=a', ['a']), ('a=\xff\xe9; sid=a', ['a']),
    ('lonely; sid=a', ['a']), (';;; ;sid=a;;', ['a']), ('=x; sid=a; =', ['a']),
    ('$Version=1; sid=a; $Path=/', ['a']), ('a="; sid=a; "', ['a']), ('a=(b,c); sid=a', ['a']),
    ('x' * 10000 + '; sid=a', ['a']), ('a=b' * 2000 + '; sid=a', ['a']),
    # several
    ('sid=a; sid=b', ['a', 'b']), ('sid=a; sid=a; sid=a', ['a']), ('sid=b; sid=a; sid=b', ['b', 'a']),
], ids=repr)
def test_find(header, values):
    """Pairs are separated by semicolons only; names are exact."""
    assert list(find(header)) == values


def test_find_more_than_a_few():
    """Of many different values it stops one after the limit; repeats do not count."""
    many = '; '.join(f'sid={n}' for n in range(100))
    assert list(find(many)) == [str(n) for n in range(headers.MAX_CANDIDATES + 1)]
    assert list(find('sid=x; ' * 100 + many)) == ['x', *(str(n) for n in range(headers.MAX_CANDIDATES))]


@given(st.lists(latin1.map(lambda text: text.replace(';', '')), max_size=5),
       st.lists(latin1.map(lambda text: text.replace(';', '')), max_size=5))
def test_no_neighbour_hides_ours(before, after):
    """Whatever stands in other pairs, ours is found."""
    assert 'value' in find(';'.join([*before, 'sid=value', *after]))


@given(latin1)
def test_what_is_found_is_there(header):
    """Every value found stands behind the name, in a pair of its own."""
    def expected():
        for pair in header.split(';'):
            name, equals, value = pair.strip(' \t').partition('=')
            if name == 'sid' and equals:
                yield value.partition(',')[0].strip(' \t')
    assert list(find(header)) == list(dict.fromkeys(expected()))


class Counted(str):
    """A header that counts how many of its characters are looked at."""

    looked_at = 0

    def find(self, wanted, start=0):
        found = super().find(wanted, start)
        Counted.looked_at += (len(self) if found < 0 else found + len(wanted)) - start
        return found

    def partition(self, wanted):
        # the value is looked for in what is behind
        parts = super().partition(wanted)
        Counted.looked_at += len(self) + len(parts[2])
        return parts

    def __getitem__(self, place):
        part = super().__getitem__(place)
        Counted.looked_at += len(part)
        return part


@pytest.mark.parametrize('piece', ['sid=', 'sid=a;', ';', ' ', '; ', 'xsid=', ' sid=', ',sid=', '\t',
                                   'sid=a,', '="sid=', 's', 'si', 'sid', 'sid=;', '  ;sid', 'x sid=  '])
def test_linear(piece):
    """Of a header twice as long, about twice as many characters are looked at."""
    def cost(length):
        header = Counted(piece * (length // len(piece)) + 'sid=z')
        Counted.looked_at = 0
        find(header)
        return Counted.looked_at
    assert cost(400_000) < 2.1 * cost(200_000) < 2.1 * 6 * 200_000


def test_set():
    """A cookie with the attributes it was made for."""
    writer = CookieWriter('sid', path='/shop', domain='example.org', samesite='Strict')
    assert writer.set('v', secure=True, max_age=60) == (
        'Set-Cookie', 'sid=v; Path=/shop; Domain=example.org; HttpOnly; SameSite=Strict; Secure; '
        'Max-Age=60')
    assert CookieWriter('sid').set('v', secure=False) == (
        'Set-Cookie', 'sid=v; Path=/; HttpOnly; SameSite=Lax')


def test_delete():
    """A cookie is deleted with the attributes it was set with."""
    assert CookieWriter('sid', domain='example.org').delete(secure=True) == (
        'Set-Cookie', 'sid=; Path=/; Domain=example.org; HttpOnly; SameSite=Lax; Secure; Max-Age=0; '
        'Expires=Thu, 01 Jan 1970 00:00:00 GMT')


@pytest.mark.parametrize('before, after', [
    ([], [('Vary', 'Cookie')]),
    ([('Vary', '')], [('Vary', 'Cookie')]),
    ([('vary', 'Accept')], [('vary', 'Accept, Cookie')]),
    ([('Vary', 'Accept, cookie')], [('Vary', 'Accept, cookie')]),
    ([('Vary', '*')], [('Vary', '*')]),
    ([('Date', 'x'), ('VARY', 'Accept'), ('Vary', 'Host')],
     [('Date', 'x'), ('VARY', 'Accept, Cookie'), ('Vary', 'Host')]),
], ids=repr)
def test_vary(before, after):
    """Vary: Cookie is merged with what the application says."""
    given = list(before)
    assert headers.with_vary_cookie(given) == after
    assert given == before


@pytest.mark.parametrize('value, after, public', [
    (None, 'private', False),
    ('', 'private', False),
    ('public', 'private', True),
    ('PUBLIC, max-age=60', 'private, max-age=60', True),
    ('s-maxage=60, max-age=5, must-revalidate', 'private, max-age=5, must-revalidate', False),
    ('private', 'private', False),
    ('private="X-One, X-Two", max-age=3', 'private, max-age=3', False),
    ('no-cache="Set-Cookie, public", public', 'private, no-cache="Set-Cookie, public"', True),
    ('max-age=60, ext="a\\"b, public"', 'private, max-age=60, ext="a\\"b, public"', False),
    ('no-store', 'no-store', False),
    ('no-store, public', 'no-store, public', True),
    ('ext="unclosed', 'private, ext="unclosed', False),
], ids=repr)
def test_cache_control(value, after, public):
    """A response with our cookie is no business of shared caches."""
    result = [('X', 'y')] + ([] if value is None else [('cache-control', value)])
    assert headers.is_public(result) is public
    headers.make_private(result)
    assert [v for n, v in result if n.lower() == 'cache-control'] == [after]
    assert ('X', 'y') in result


def test_several_cache_control_headers():
    """All Cache-Control headers of a response count as one."""
    result = [('Cache-Control', 'public'), ('Cache-Control', 'max-age=1')]
    headers.make_private(result)
    assert result == [('Cache-Control', 'private, max-age=1')]


@pytest.mark.parametrize('name', [
    'CDN-Cache-Control', 'Cloudflare-CDN-Cache-Control', 'surrogate-control', 'X-Accel-Expires'])
@pytest.mark.parametrize('own', [[], [('Cache-Control', 'no-store')]])
def test_caches_that_are_told_more(name, own):
    """What tells some shared caches more than Cache-Control says goes."""
    result = [('X-A', 'b'), (name, '600'), *own]
    headers.make_private(result)
    assert name not in dict(result) and ('X-A', 'b') in result


def test_vary_in_a_list():
    """A pair that is no tuple is taken in stride, as servers do."""
    assert headers.with_vary_cookie([['Vary', 'Accept']]) == [('Vary', 'Accept, Cookie')]


def test_vary_without_blanks():
    """A field is found between commas alone."""
    given = [('Vary', 'Accept,Cookie')]
    assert headers.with_vary_cookie(given) == given
