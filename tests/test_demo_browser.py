"""The demonstration in a browser: Chromium, as a person uses it."""
from __future__ import annotations

import contextlib
import os
import shutil
import time

import pytest
from test_demo import COOKIE, PASSWORDS, Caller, Server, listening
from surroundings import missing
from test_requirelogin import ACCEPTED, EVIL

from paste_sessioncookie import SessionCookieHandler
from paste_sessioncookie.requirelogin import RequireLogin

NEEDED = 'apt-get install chromium chromium-driver; pip install selenium'

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = None

OPTIONS = ('--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
           '--disable-background-networking', '--disable-component-update',
           '--disable-sync', '--window-size=1000,900')


def programs():
    """The paths of browser and driver; skips without them, fails where CI is set."""
    browser = shutil.which('chromium') or shutil.which('google-chrome')
    driver = shutil.which('chromedriver')
    if webdriver is None or browser is None or driver is None:
        missing(f'no browser: {NEEDED}')
    return browser, driver


class Person:
    """Somebody at a browser."""

    def __init__(self, driver, url):
        self.driver = driver
        self.url = url

    def go(self, path):
        self.driver.get(self.url + path)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return [each.text for each in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def press(self, selector):
        """A button that sends a form; waits for the page that follows."""
        # the browser's own mark of this page: it is gone when the next one is there
        self.driver.execute_script('window.before = true')
        self.find(selector).click()
        WebDriverWait(self.driver, 20).until(_is_next_page)

    def log_in(self, name):
        self.find('#name').send_keys(name)
        self.find('#password').send_keys(PASSWORDS[name])
        self.press('form[action="/accounts/login"] button')

    def write(self, path, text):
        self.go(path)
        self.find('#text').send_keys(text)
        self.press('form[action$="/draft"] button')

    def choose(self, path, theme):
        self.go(path)
        self.find(f'input[value={theme}]').click()
        self.press('form[action$="/theme"] button')

    def theme(self, path):
        self.go(path)
        return self.find('html').get_attribute('data-theme')

    def drafts(self, path):
        self.go(path)
        return self.texts('li .text')

    def user(self, path):
        self.go(path)
        return self.texts('aside strong')


def _is_next_page(driver):
    return driver.execute_script(
        'return !window.before && document.readyState == "complete"')


@contextlib.contextmanager
def browsing(directory, url, *more):
    """A person at a new browser."""
    browser, chromedriver = programs()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in (*OPTIONS, f'--user-data-dir={directory / "browser"}', *more):
        options.add_argument(option)
    driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    driver.set_page_load_timeout(30)
    try:
        yield Person(driver, url)
    finally:
        driver.quit()


@pytest.fixture
def person(tmp_path):
    with Server(tmp_path) as server, browsing(tmp_path, server.url) as person:
        yield person


def test_a_visit(person):
    """Drafts and themes apart, one login for all, and out again."""
    person.go('/')
    person.write('/blog', 'For the blog')
    person.write('/news', 'For the news')
    person.choose('/news', 'night')

    person.go('/wiki/page/Home')
    person.find('main a[href^="/accounts"]').click()
    person.log_in('ada')
    assert person.driver.current_url == f'{person.url}/wiki/page/Home'
    assert 'Welcome, Ada Lovelace.' in person.find('main').text
    for path in ('/', '/accounts', '/blog', '/news', '/wiki'):
        assert person.user(path) == ['ada']

    # drafts have come along; values that nobody has moved have not
    assert person.drafts('/blog') == ['For the blog']
    assert person.drafts('/news') == ['For the news']
    assert person.theme('/news') == 'system'
    person.choose('/blog', 'sepia')
    assert person.theme('/blog') == 'sepia'
    assert person.theme('/news') == 'system'
    assert person.user('/blog') == ['ada']

    person.go('/wiki/edit/Home')
    person.find('#text').send_keys(' Written by hand.')
    person.press('form[action^="/wiki/edit"] button')
    assert 'Written by hand.' in person.find('main').text

    person.go('/accounts')
    person.press('form[action="/accounts/logout"] button')
    for path in ('/', '/accounts', '/blog', '/news', '/wiki'):
        assert person.user(path) == []
    assert person.drafts('/blog') == person.drafts('/news') == []
    assert person.theme('/blog') == 'system'


def test_staff(person):
    """One logs in on the way, and is where one wanted to be."""
    person.go('/staff/?by=name')
    assert person.find('h1').text == 'Log in'
    person.log_in('ada')
    assert person.driver.current_url == f'{person.url}/staff/?by=name'
    assert person.find('h1').text == 'Staff'


def test_not_staff(person):
    """Who is in no such group is refused, and not sent to and fro."""
    person.go('/staff')
    person.log_in('grace')
    assert person.driver.current_url == f'{person.url}/staff'
    assert person.find('h1').text == 'Forbidden'


def test_log_out_everywhere(person):
    """What is logged in elsewhere is logged out, too."""
    elsewhere = Caller(person.url)
    elsewhere('/accounts/login', token=elsewhere.token('/accounts'), name='ada',
              password=PASSWORDS['ada'])
    person.go('/accounts')
    person.log_in('ada')
    person.find('a[href="/accounts/everywhere"]').click()
    person.press('form[action="/accounts/everywhere"] button')
    assert person.find('h1').text == 'You are logged out everywhere'
    assert person.user('/') == []
    assert '<strong>ada</strong>' not in elsewhere('/')[1]


def test_came_from_stays(tmp_path):
    """No came_from that is accepted leads a browser to another host."""
    def redirecting(environ, start_response):
        index = environ['QUERY_STRING'].removeprefix('go=')
        location = [('Location', table[int(index)])] if index.isdigit() else []
        start_response('303 See Other' if location else '200 OK', [
            ('Content-Type', 'text/html'), *location])
        return [b'here']
    # the first ones lead away, or this would show nothing
    table = [f'//{EVIL}', f'/\\{EVIL}', f'/\t/{EVIL}', *ACCEPTED]
    with listening(redirecting) as port, browsing(
            tmp_path, f'http://127.0.0.1:{port}',
            f'--host-resolver-rules=MAP {EVIL} 127.0.0.1:{port}') as person:
        hosts = []
        for index in range(len(table)):
            person.go(f'/other?go={index}')
            assert person.find('body').text == 'here'
            hosts.append(person.driver.execute_script('return location.hostname'))
    assert hosts == [EVIL] * 3 + ['127.0.0.1'] * len(ACCEPTED)


def test_no_dialog(tmp_path):
    """Who is told 401 sees the page: the browser does not ask for a password."""
    site = SessionCookieHandler(RequireLogin(None), secret=os.urandom(32))
    with listening(site) as port, browsing(tmp_path, f'http://127.0.0.1:{port}') as person:
        person.go('/')
        assert person.find('h1').text == 'Unauthorized'
        assert person.driver.execute_script(
            'return performance.getEntriesByType("navigation")[0].responseStatus') == 401


def test_the_cookie(person):
    """One cookie is stored, with the attributes that the site asked for."""
    person.go('/')
    person.choose('/blog', 'sepia')
    for path in ('/accounts', '/news', '/wiki'):
        person.go(path)
    cookie, = person.driver.get_cookies()
    assert cookie['name'] == COOKIE
    assert cookie['secure'] is True
    assert cookie['httpOnly'] is True
    assert cookie['sameSite'] == 'Lax'
    assert cookie['path'] == '/'
    assert cookie['domain'] == '127.0.0.1'
    assert 'expiry' not in cookie
    assert person.driver.execute_script('return document.cookie') == ''


def test_styles_are_applied(person):
    """The browser takes the style sheet under the page's policy: nothing is refused."""
    person.go('/')
    assert person.find('nav li').value_of_css_property('list-style-type') == 'none'
    system = person.find('body').value_of_css_property('background-color')
    person.choose('/blog', 'sepia')
    assert person.find('body').value_of_css_property('background-color') != system
    assert person.driver.get_log('browser') == []


def test_small_screen(person):
    """At 360 pixels nothing has to be scrolled sideways."""
    person.driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', {
        'width': 360, 'height': 700, 'deviceScaleFactor': 2, 'mobile': True})
    person.write('/blog', 'x' * 200)
    for path in ('/', '/accounts', '/blog', '/wiki', '/wiki/page/Home', '/staff'):
        person.go(path)
        assert person.driver.execute_script(
            'return document.documentElement.scrollWidth') == 360, path


def test_keyboard(person):
    """One gets through the login with the keyboard alone; the first stop skips ahead."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys
    person.go('/accounts')
    ActionChains(person.driver).send_keys(Keys.TAB).perform()
    assert person.driver.switch_to.active_element.text == 'Skip to the content'
    ActionChains(person.driver).send_keys(
        Keys.ENTER, Keys.TAB, 'grace', Keys.TAB, PASSWORDS['grace'], Keys.ENTER).perform()
    end = time.monotonic() + 20
    while not person.texts('aside strong') and time.monotonic() < end:
        time.sleep(0.1)
    assert person.texts('aside strong') == ['grace']
