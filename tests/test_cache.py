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
        return upper(text)


def upper(text):
    return text, text.upper()


def kept(cache):
    return [text for text, _ in (*cache._older.values(), *cache.values())]


def test_asked_once():
    """What was found out is known again."""
    asked = Asked()
    cache = Cache(asked)
    assert [cache.find(each) for each in 'aba'] == [('a', 'A'), ('b', 'B'), ('a', 'A')]
    assert asked == ['a', 'b']


@pytest.mark.parametrize('most_texts', [MOST_TEXTS, 2])
def test_the_whole_text_counts(most_texts):
    """Texts that end alike are never taken for each other, of whichever generation."""
    asked = Asked()
    cache = Cache(asked, most_texts)
    alike = [begin + 'the same at the end' for begin in ('', 'a', 'b')]
    for text in alike * 2:
        assert cache.find(text) == upper(text)
    assert asked == alike * 2 and len(cache) == 1


def test_the_whole_of_an_older_text_counts():
    """Nor are they when the first of them is among the older ones."""
    cache = Cache(upper, most_texts=2)
    alike = [begin + 'the same at the end' for begin in ('a', 'b')]
    for text in (alike[0], 'another', alike[1]):
        assert cache.find(text) == upper(text)
    assert kept(cache) == ['another', alike[1]]


def test_discreet():
    """What a debug page shows has nothing in it that is kept."""
    cache = Cache(upper)
    cache.find('visitor')
    assert 'visitor' not in f'{cache!r} {cache}'.lower()


def test_failures_are_not_kept():
    """A text that was refused is looked at again."""
    asked = Asked()
    cache = Cache(asked)
    for _ in range(3):
        with pytest.raises(ValueError):
            cache.find('bad')
    assert asked == ['bad'] * 3 and not kept(cache)


def test_turned_off():
    """With room for none, everything is looked at each time."""
    asked = Asked()
    cache = Cache(asked, most_texts=0)
    assert [cache.find('a'), cache.find('a')] == [('a', 'A')] * 2
    assert asked == ['a', 'a'] and not kept(cache)


@pytest.mark.parametrize('length', [5, 1000, 4096])
def test_bounded(length):
    """Neither texts nor their characters are more than the limits, whatever comes."""
    cache = Cache(upper)
    for number in range(2 * MOST_TEXTS):
        cache.find(f'{number:0{length}}')
        assert len(kept(cache)) <= MOST_TEXTS
    assert sum(map(len, kept(cache))) <= MOST_CHARACTERS
    assert len(kept(cache)) > min(MOST_TEXTS, MOST_CHARACTERS // length) // 2


def test_what_is_used_stays():
    """A text that is asked for all the time is never forgotten."""
    asked = Asked()
    cache = Cache(asked, most_texts=8)
    for number in range(100):
        cache.find('often')
        cache.find(str(number))
    assert asked.count('often') == 1


def test_threads():
    """Threads that share one get right answers, and keep to the limits."""
    cache = Cache(upper, most_texts=8)
    wrong = []

    def ask():
        wrong.extend(number for number in range(3000)
                     if cache.find(f'x{number % 20}') != upper(f'x{number % 20}'))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(kept(cache)) <= 8 + len(threads)
