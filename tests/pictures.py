"""
The pictures of the manual
==========================

::

    python tests/pictures.py

takes them from the demonstration, served for this, into ``docs/pictures``.  What stands on
them goes into ``pages.json`` there: ``test_pictures_browser.py`` compares it with the pages
of today.  The drawings (``*.svg``) are written by hand.
"""
from __future__ import annotations

import base64
import hashlib
import io
import json
import pathlib
import re
import tempfile

from person import browsing
from PIL import Image
from test_demo import Server

PICTURES = pathlib.Path(__file__).resolve().parent.parent / 'docs' / 'pictures'
RECORD = PICTURES / 'pages.json'
WIDTH, PHONE = 720, 360  # CSS pixels
COLOURS = 48             # of a picture: text on few grounds, its edges smoothed


def tour(person):
    """Leads somebody who has never been here past what there is to see; gives the names of
    the pictures."""
    person.go('/')
    yield from looking(person, '/', 'front')
    person.write('/blog', 'A cookie that five applications share: who would have thought?')
    person.log_in('ada')
    person.choose('/blog', 'sepia')
    yield from looking(person, '/blog', 'blog')
    yield from looking(person, '/news', 'news')
    yield from looking(person, '/wiki', 'wiki')
    person.tell('Emulation.setEmulatedMedia', features=[
        {'name': 'prefers-color-scheme', 'value': 'dark'}])
    yield from looking(person, '/accounts', 'phone', PHONE)


def looking(person, path, name, width=WIDTH):
    """One page, in a window that is as high as the page."""
    person.tell('Emulation.setDeviceMetricsOverride', width=width, height=100,
                deviceScaleFactor=2 if width == PHONE else 1, mobile=True)
    person.go(path)
    yield name


def shown(person):
    """What stands on a page: the lines of its text, without what is new each time, and a
    fingerprint of how it looks."""
    text = re.sub(r'\b[0-9a-f]{8}\b', '........', person.find('body').text)
    style = person.script('return document.querySelector("style").textContent')
    theme = person.find('html').get_attribute('data-theme')
    return {'text': text.splitlines(), 'theme': theme,
            'style': hashlib.sha256(style.encode()).hexdigest()[:16]}


def photograph(person):
    """The whole page as PNG, of few colours."""
    data = person.tell('Page.captureScreenshot', captureBeyondViewport=True)['data']
    image = Image.open(io.BytesIO(base64.b64decode(data))).convert('RGB')
    small = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(small, 'PNG', optimize=True)
    return small.getvalue()


def main():
    """Take them all."""
    record = {}
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        with Server(directory) as server, browsing(directory, server.url) as person:
            for picture in tour(person):
                record[picture] = shown(person)
                (PICTURES / f'{picture}.png').write_bytes(photograph(person))
    RECORD.write_text(json.dumps(record, ensure_ascii=False, indent=1) + '\n', 'utf-8')


if __name__ == '__main__':
    main()
