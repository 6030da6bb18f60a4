"""Somebody at a browser: Chromium, driven by selenium.  One browser, and one server of the
demonstration, for all tests."""
from __future__ import annotations

import contextlib
import shutil

import pytest
from surroundings import missing
from test_demo import PASSWORDS, Server

NEEDED = ('apt-get install chromium chromium-driver; '
          "pip install -e '.[test,paster]'")

try:
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = Keys = None

WAIT = 30  # seconds, until a page that does not come is a failure
WIDTH, HEIGHT = 1000, 900  # CSS pixels

OPTIONS = ('--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
           '--disable-background-networking', '--disable-component-update',
           '--disable-sync', f'--window-size={WIDTH},{HEIGHT}')
NO_SCRIPTS = {'profile.managed_default_content_settings.javascript': 2}


def programs():
    """The paths of browser and driver; skips without them, fails where CI is set."""
    browser = shutil.which('chromium') or shutil.which('google-chrome')
    driver = shutil.which('chromedriver')
    if webdriver is None or browser is None or driver is None:
        missing(f'no browser: {NEEDED}')
    return browser, driver


@contextlib.contextmanager
def browsing(directory, url='', *more, scripts=True):
    """A person at a browser that keeps what it keeps in the directory."""
    browser, chromedriver = programs()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for option in (*OPTIONS, f'--user-data-dir={directory / "browser"}', *more):
        options.add_argument(option)
    if not scripts:
        options.add_experimental_option('prefs', NO_SCRIPTS)
    driver = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    driver.set_page_load_timeout(WAIT)
    try:
        yield Person(driver, url)
    finally:
        driver.quit()


class Person:
    """Somebody at a browser, who visits the site at ``url``."""

    def __init__(self, driver, url):
        self.driver = driver
        self.url = url

    def at(self, url):
        """The same person, at another site."""
        return Person(self.driver, url)

    def tell(self, command, **arguments):
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, arguments)

    # -- pages ------------------------------------------------------------

    def go(self, path):
        self.driver.get(self.url + path)

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return [each.text for each in self.all(selector)]

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def wait(self, condition):
        """Until the condition, of the driver, is true; gives what it gave."""
        return WebDriverWait(self.driver, WAIT, 0.05).until(condition)

    @contextlib.contextmanager
    def leaving(self):
        """What is done inside leads to another page; waits for it."""
        # the browser's own mark of this page: it is gone when the next one is there
        self.script('window.before = true')
        yield
        self.wait(_is_next_page)

    def press(self, selector):
        """A button that sends a form."""
        with self.leaving():
            self.find(selector).click()

    def keys(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    @property
    def focused(self):
        return self.driver.switch_to.active_element

    # -- cookies ----------------------------------------------------------

    def cookies(self):
        """All cookies of all sites, as the browser stores them."""
        return self.tell('Network.getAllCookies')['cookies']

    def be_new(self):
        """Nobody has ever been anywhere with this browser, or turned a knob."""
        self.driver.get('about:blank')
        self.tell('Network.clearBrowserCookies')
        self.tell('Emulation.clearDeviceMetricsOverride')
        self.tell('Emulation.setEmulatedMedia', features=[])

    # -- the demonstration ------------------------------------------------

    def log_in(self, name, password=None):
        self.go('/accounts')
        self.fill_in(name, password)

    def fill_in(self, name, password=None):
        """The form to log in, wherever it has come up."""
        self.find('#name').clear()
        self.find('#name').send_keys(name)
        self.find('#password').send_keys(password or PASSWORDS[name])
        self.press('form[action="/accounts/login"] button')

    def fill_in_wrongly(self):
        self.log_in('ada', 'a wrong password')

    def log_out(self):
        self.go('/accounts')
        self.press('form[action="/accounts/logout"] button')

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


@pytest.fixture(scope='session')
def server(tmp_path_factory):
    """The demonstration, served."""
    with Server(tmp_path_factory.mktemp('demo')) as server:
        yield server


@pytest.fixture(scope='session')
def chromium(tmp_path_factory):
    """A person at a browser, and at no site."""
    with browsing(tmp_path_factory.mktemp('browser')) as person:
        yield person


@pytest.fixture
def somebody(chromium):
    """A person at a browser that is as good as new."""
    chromium.be_new()
    return chromium


@pytest.fixture
def person(somebody, server):
    """Who comes to the demonstration for the first time."""
    return somebody.at(server.url)
