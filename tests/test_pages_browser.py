"""
The pages of the demonstration, for everybody
=============================================

By keyboard, with a screen reader, on small screens, in large letters, in the dark.
``axe-core`` has the general rules; what is particular to these pages follows.
"""
import pytest
from axe_core_python.base import AXE_SCRIPT
from person import Keys
from test_demo import contrast

RUN_AXE = '''
var done = arguments[arguments.length - 1]
axe.run({resultTypes: ["violations", "incomplete"], ...arguments[0]}).then(
  found => done([...found.violations, ...found.incomplete].map(
    rule => [rule.id, ...rule.nodes.map(node => node.html)])),
  error => done(String(error)))'''

#: what can be reached by Tab, with one stop for all radio buttons of a name
STOPS = '''return [...document.querySelectorAll(
  "a[href], button, textarea, input:not([type=hidden]):not([type=radio]), input:checked")]'''
COLOURS = '''
var style = getComputedStyle(arguments[0]), body = getComputedStyle(document.body)
return [style.color, style.outlineColor, body.backgroundColor].map(
  each => "#" + each.match(/\\d+/g).map(part => (+part).toString(16).padStart(2, "0")).join(""))
'''
MOVING = '''return [...document.querySelectorAll("*")].filter(each => {
  let style = getComputedStyle(each)
  return style.animationName != "none" || style.transitionDuration != "0s"
    || style.scrollBehavior != "auto"}).length'''
SMALLEST = '''return Math.min(99, ...[...document.querySelectorAll(
  "nav a, button, .field, .choice")].map(each => each.getBoundingClientRect()).flatMap(
  box => [box.width, box.height]))'''

SCREENS = ((320, '100%'), (640, '200%'))  # CSS pixels, size of letters
LONG = 'x' * 200
WRONG = 'That user and that password do not belong together.'


def pages(person):
    """Leads somebody to every page that there is; gives its name."""
    yield from visits(person, '/', '/accounts', '/wiki', '/wiki/page/Missing', '/missing')
    person.fill_in_wrongly()
    yield 'a wrong password'
    person.log_in('linus')
    yield from visits(person, '/staff')
    person.log_out()
    person.log_in('ada')
    person.write('/blog', LONG)
    yield from visits(person, '/blog', '/accounts', '/accounts/everywhere',
                      '/wiki/page/Home', '/wiki/edit/Home', '/staff')


def visits(person, *paths):
    for path in paths:
        person.go(path)
        yield path


def axe(person, **options):
    """What axe-core finds fault with, or cannot decide: rule, elements."""
    person.script(AXE_SCRIPT)
    return person.driver.execute_async_script(RUN_AXE, options)


def media(person, **features):
    """What the visitor asks of pages: ``prefers_color_scheme='dark'``."""
    person.tell('Emulation.setEmulatedMedia', features=[
        {'name': name.replace('_', '-'), 'value': value}
        for name, value in features.items()])


def spoken(person):
    """What a screen reader gets of the page: role, name, description, properties."""
    for node in person.tell('Accessibility.getFullAXTree')['nodes']:
        if not node['ignored']:
            properties = {each['name']: each['value'].get('value')
                          for each in node.get('properties', [])}
            yield (node['role']['value'], node.get('name', {}).get('value'),
                   node.get('description', {}).get('value'), properties)


# -- rules -------------------------------------------------------------------


def test_rules(person):
    """Every page keeps the rules of axe-core."""
    assert {name: found for name in pages(person) if (found := axe(person))} == {}


@pytest.mark.parametrize('scheme, theme', [
    ('light', 'system'), ('dark', 'system'), ('light', 'sepia'), ('light', 'night')])
def test_contrast(person, scheme, theme):
    """In each theme, all that is shown stands out from what is behind it."""
    media(person, prefers_color_scheme=scheme)
    person.write('/blog', 'A draft')
    person.choose('/blog', theme)
    text, _, ground = person.script(COLOURS, person.find('body'))
    assert (contrast(ground, '#000000') < 2) == ('dark' in scheme or theme == 'night')
    assert contrast(text, ground) >= 7
    assert axe(person, runOnly=['color-contrast']) == []


def test_dark_everywhere(person):
    """Who prefers dark pages gets all of them dark, and can read them."""
    media(person, prefers_color_scheme='dark')
    for name in pages(person):
        assert contrast(person.script(COLOURS, person.find('h1'))[0], '#000000') >= 7, name
        # axe-core takes the ground for white where a page leaves all colours to the system
        if person.find('h1').text != 'Forbidden':
            assert axe(person, runOnly=['color-contrast']) == [], name


def test_forced_colours(person):
    """Where the system chooses the colours, and grounds are gone, one still sees which
    page one is at."""
    media(person, forced_colors='active')
    person.go('/blog')
    here = person.find('nav [aria-current]')
    assert here.text == 'Blog'
    assert here.value_of_css_property('border-top-style') == 'solid'


# -- small screens, large letters --------------------------------------------


def test_nothing_sideways(person):
    """On a small screen, and in letters of twice the size, nothing has to be scrolled
    sideways, and there is room for a finger."""
    for name in pages(person):
        for width, letters in SCREENS:
            person.tell('Emulation.setDeviceMetricsOverride', width=width, height=640,
                        deviceScaleFactor=2, mobile=True)
            person.script('document.documentElement.style.fontSize = arguments[0]', letters)
            assert person.script('return document.documentElement.scrollWidth') == width, name
            assert person.script(SMALLEST) >= 24, name  # CSS pixels; WCAG 2.2, 2.5.8


def test_nothing_moves(person):
    """There is nothing to reduce for who prefers no motion."""
    for path in ('/', '/blog', '/accounts'):
        person.go(path)
        assert person.script(MOVING) == 0


# -- keyboard ----------------------------------------------------------------


def test_keyboard(person):
    """One gets through the login with the keyboard alone; the first stop skips ahead."""
    person.go('/accounts')
    person.keys(Keys.TAB)
    assert person.focused.text == 'Skip to the content'
    with person.leaving():
        person.keys(Keys.ENTER, Keys.TAB, 'grace', Keys.TAB, 'first compiler', Keys.ENTER)
    assert person.texts('aside strong') == ['grace']


@pytest.mark.parametrize('theme', ['system', 'sepia', 'night'])
def test_tab_order(person, theme):
    """Tab goes through all controls, in the order of the page, and one sees where."""
    person.write('/blog', 'A draft')
    person.choose('/blog', theme)
    stops = person.script(STOPS)
    assert len(stops) == 12
    for stop in stops:
        person.keys(Keys.TAB)
        assert person.focused == stop
        assert stop.value_of_css_property('outline-style') == 'solid'
        assert stop.value_of_css_property('outline-width') == '3px'
        _, outline, ground = person.script(COLOURS, stop)
        assert contrast(outline, ground) >= 3
        assert 0 <= stop.location['x'] and 0 <= stop.location['y']


def test_theme_by_keyboard(person):
    """The arrows choose among the themes."""
    person.go('/blog')
    person.find('input[value=system]').send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    with person.leaving():
        person.keys(Keys.ENTER)
    assert person.theme('/blog') == 'night'


# -- screen readers ----------------------------------------------------------


def test_landmarks(person):
    """Each page says its parts by name, and its language."""
    for name in pages(person):
        assert person.find('html').get_attribute('lang') == 'en', name
        parts = {(role, called) for role, called, _, _ in spoken(person)}
        ranks = [int(each.tag_name[1]) for each in person.all('h1, h2, h3')]
        assert ranks[0] == 1 and 1 not in ranks[1:], name
        if person.find('h1').text == 'Forbidden':
            continue  # the page of the filter has no other parts
        assert ('main', '') in parts and ('banner', '') in parts, name
        assert ('navigation', 'Applications') in parts, name
        assert ('complementary', 'What this application sees') in parts, name


def test_wrong_password(person):
    """The fault is announced, it is said of both fields, and one is at the empty one."""
    person.fill_in_wrongly()
    said = list(spoken(person))
    assert [each['live'] for role, _, _, each in said if role == 'alert'] == ['assertive']
    fields = {name: (about, each['invalid'], each.get('focused', False))
              for role, name, about, each in said if role == 'textbox'}
    assert fields == {'User': (WRONG, 'true', False), 'Password': (WRONG, 'true', True)}
    assert person.focused.get_attribute('value') == ''


def test_a_refused_form(person):
    """So is why a form was refused."""
    person.go('/blog')
    person.tell('Network.clearBrowserCookies')
    person.find('#text').send_keys('A draft')
    person.press('form[action$="/draft"] button')
    assert person.find('h1').text == 'Forbidden'
    assert 'send it once more' in person.find('main [role=alert]').text


def test_controls_have_names(person):
    """What one can do is said with what it is done to."""
    person.write('/blog', 'One')
    person.write('/blog', 'Another')
    said = list(spoken(person))
    assert [about for role, name, about, _ in said if (role, name) == ('button', 'Delete')] == [
        'Another', 'One']
    assert {name for role, name, _, _ in said if role == 'radio'} == {
        'As your system', 'Sepia', 'Night'}
    assert ('group', 'Theme') in {(role, name) for role, name, _, _ in said}
    assert [name for role, name, _, _ in said if role == 'textbox'] == ['A new draft']
