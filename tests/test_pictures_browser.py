"""The pictures of the manual show what there is, and can be seen by everybody."""
import io
import json
import re
import xml.etree.ElementTree as ET

import pictures
import pytest
from PIL import Image
from pictures import PICTURES, RECORD
from test_demo import contrast

TAKEN = json.loads(RECORD.read_text(encoding='utf-8'))
PAGES = '\n'.join(each.read_text(encoding='utf-8') for each in PICTURES.parent.rglob('*.rst'))
DRAWINGS = sorted(PICTURES.glob('*.svg'))
LARGEST = 64 * 1024  # bytes

FIT = '''
function box(each) { return each.getBBox() }
function meet(one, other) {
  return one.x < other.x + other.width && other.x < one.x + one.width
    && one.y < other.y + other.height && other.y < one.y + one.height }
function holds(one, other) {
  return one.x <= other.x && other.x + other.width <= one.x + one.width
    && one.y <= other.y && other.y + other.height <= one.y + one.height }
var texts = [...document.querySelectorAll("text")], rects = [...document.querySelectorAll("rect")]
return texts.filter(text =>
  rects.some(rect => meet(box(rect), box(text)) && !holds(box(rect), box(text)))
  || texts.some(other => other != text && meet(box(other), box(text)))
).map(text => text.textContent)'''
FILLS = '''return [...document.querySelectorAll(arguments[0])].map(
  each => "#" + getComputedStyle(each).fill.match(/\\d+/g).map(
    part => (+part).toString(16).padStart(2, "0")).join(""))'''


def test_pictures_show_the_pages(person):
    """What stood on each page when it was photographed stands there today."""
    today = {name: pictures.shown(person) for name in pictures.tour(person)}
    changed = [name for name in {*today, *TAKEN} if today.get(name) != TAKEN.get(name)]
    assert not changed, 'other pages than on the pictures: python tests/pictures.py'


def test_a_photograph(person):
    """It is a small PNG of the whole page."""
    next(pictures.tour(person))
    data = pictures.photograph(person)
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == 'PNG'
        assert image.width == pictures.WIDTH and image.height > 500
    assert len(data) < LARGEST


def test_every_picture_is_used():
    """Each picture is on a page, which says in words what it shows; and each is small."""
    files = {each.name for each in PICTURES.iterdir()} - {RECORD.name}
    assert {f'{name}.png' for name in TAKEN} | {each.name for each in DRAWINGS} == files
    shown = re.findall(r'^\.\. (?:figure|image):: .*pictures/(\S+)\n(?:   :(?!alt).*\n)*'
                       r'   :alt: (.{40,})$', PAGES, re.MULTILINE)
    assert {name for name, _ in shown} == files
    assert all((PICTURES / name).stat().st_size < LARGEST for name in files)


@pytest.mark.parametrize('drawing', DRAWINGS, ids=lambda each: each.stem)
def test_drawing_says_what_it_is(drawing):
    """A drawing has a title and a description for who does not see it."""
    root = ET.parse(drawing).getroot()
    named = {each.get('id'): each.text for each in root.iter() if each.get('id')}
    assert root.get('role') == 'img'
    assert all(len(named[name]) > 15 for name in root.get('aria-labelledby').split())


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('drawing', DRAWINGS, ids=lambda each: each.stem)
def test_drawing(somebody, drawing, scheme):
    """Its words are in their boxes, and stand out, by day and by night."""
    somebody.tell('Emulation.setEmulatedMedia', features=[
        {'name': 'prefers-color-scheme', 'value': scheme}])
    somebody.driver.get(drawing.as_uri())
    assert somebody.script(FIT) == []
    ground, = somebody.script(FILLS, '.ground')
    assert (contrast(ground, '#000000') < 2) == (scheme == 'dark')
    for text in somebody.script(FILLS, 'text'):
        for behind in somebody.script(FILLS, 'rect'):
            assert contrast(text, behind) >= 4.5
