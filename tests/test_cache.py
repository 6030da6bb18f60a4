"""cache.py: what was found out before, within bounds."""
import threading

import pytest

from paste_sessioncookie.cache import MOST_CHARACTERS, MOST_TEXTS, Cache


class Asked(list):
    """A function that notes what it is asked, and refuses some."""

    def __call__(self, text):
        self.append(text)
        if text.startswith('bad'):
            raise ValueError(text)
        return text.upper()


def kept(cache):
    return [*cache._older, *cache]


def test_asked_once():
    """What was found out is known again."""
    asked = Asked()
    cache = Cache(asked)
    assert [cache['a'], cache['b'], cache['a']] == ['A', 'B', 'A']
    assert asked == ['a', 'b']


def test_discreet():
    """What a debug page shows has nothing in it that is kept."""
    cache = Cache(str.upper)
    cache['visitor']
    assert 'visitor' not in f'{cache!r} {cache}'.lower()


def test_failures_are_not_kept():
    """A text that was refused is looked at again."""
    asked = Asked()
    cache = Cache(asked)
    for _ in range(3):
        with pytest.raises(ValueError):
            cache['bad']
    assert asked == ['bad'] * 3 and not kept(cache)


def test_turned_off():
    """With room for none, everything is looked at each time."""
    asked = Asked()
    cache = Cache(asked, most_texts=0)
    assert [cache['a'], cache['a']] == ['A', 'A']
    assert asked == ['a', 'a'] and not kept(cache)


@pytest.mark.parametrize('length', [5, 1000, 4096])
def test_bounded(length):
    """Neither texts nor their characters are more than the limits, whatever comes."""
    cache = Cache(str.upper)
    for number in range(2 * MOST_TEXTS):
        cache[f'{number:0{length}}']
        assert len(kept(cache)) <= MOST_TEXTS
    assert sum(map(len, kept(cache))) <= MOST_CHARACTERS
    assert len(kept(cache)) > min(MOST_TEXTS, MOST_CHARACTERS // length) // 2


def test_what_is_used_stays():
    """A text that is asked for all the time is never forgotten."""
    asked = Asked()
    cache = Cache(asked, most_texts=8)
    for number in range(100):
        cache['often']
        cache[str(number)]
    assert asked.count('often') == 1


def test_threads():
    """Threads that share one get right answers, and keep to the limits."""
    cache = Cache(str.upper, most_texts=8)
    wrong = []

    def ask():
        wrong.extend(number for number in range(3000) if cache[f'x{number % 20}'] != f'X{number % 20}')

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(kept(cache)) <= 8 + len(threads)
