"""
A slow response brings no login back
====================================

A browser sends a request to one application, and before it is answered logs
out in another.  Whatever the slow one does, in whatever order the steps of both
happen, and whichever Set-Cookie the browser keeps: nobody is logged in by a
login that was ended.
"""
import itertools
import json
import os
import queue
import random
import re
import subprocess
import sys
import tempfile
import threading

import pytest
import racer
from conftest import START

INTERLEAVINGS = 10_000
STEPS = 4  # of a request: admitted, acted, answered, kept by the browser

TOGETHER = 250  # races that are run at the same time, each with users of its own

#: what the slow request may do that is no login
SLOW = ['', 'value blue', 'keep', 'regenerate', 'invalidate', 'logout']
#: ... and that is one
LOGINS = ['login eve', 'idiom eve', 'again bob', 'login bob staff']
#: what the other request does to end the login
ENDS = ['logout', 'idiom ', 'revoke bob']
#: ... and to put another in its place
REPLACES = ['again bob', 'login eve', 'idiom eve']

#: the orders in which the steps of two requests can happen: 70 tuples of sides
ORDERS = [tuple(0 if step in ours else 1 for step in range(2 * STEPS))
          for ours in itertools.combinations(range(2 * STEPS), STEPS)]


class Process:
    """A side that is a process."""

    def __init__(self, **what):
        self.process = subprocess.Popen(
            [sys.executable, racer.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        self.send(what)

    def send(self, orders):
        self.process.stdin.write(json.dumps(orders) + '\n')
        self.process.stdin.flush()

    def receive(self):
        # a side that hangs is ended: then there is no line
        timer = threading.Timer(60, self.process.kill)
        timer.start()
        try:
            return json.loads(self.process.stdout.readline())
        finally:
            timer.cancel()

    def close(self):
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0


class Thread:
    """A side that is a thread of this process."""

    def __init__(self, **what):
        self.orders, self.answers = queue.SimpleQueue(), queue.SimpleQueue()
        self.thread = threading.Thread(
            target=racer.serve, args=(iter(self.orders.get, ''), self.answers.put),
            daemon=True)
        self.thread.start()
        self.send(what)

    def send(self, orders):
        self.orders.put(json.dumps(orders))

    def receive(self):
        return json.loads(self.answers.get(timeout=60))

    def close(self):
        self.orders.put('')
        self.thread.join(60)


@pytest.fixture(params=['memory', 'sqlite', 'redis'])
def option(request):
    if request.param == 'redis':
        yield request.getfixturevalue('redis_server').url
    else:
        # in memory, if that is possible: what is raced for is not the disk
        shm = '/dev/shm' if os.path.isdir('/dev/shm') else None
        with tempfile.TemporaryDirectory(dir=shm) as directory:
            yield {'memory': 'memory', 'sqlite': f'sqlite:{directory}/revoked.db'}[request.param]


@pytest.fixture
def sides(option, secret):
    """Two sides that share the list."""
    kind = Thread if option == 'memory' else Process
    sides = [kind(option=option, secret=secret) for _ in range(2)]
    yield sides
    for side in sides:
        side.close()


class Browser:
    """Keeps whichever cookie came last.  Its methods are generators: they yield a
    side and what it is to do, and take its answer."""

    def __init__(self, name, cookie=''):
        self.name = name
        self.cookie = cookie
        self.now = START
        self.answers = {}  # by side and request

    def step(self, side, request, act=''):
        """One more step of a request."""
        answers = self.answers.setdefault((side, request), [])
        if len(answers) < STEPS - 1:
            answers.append((yield side, {
                'name': f'{self.name} {request}', 'now': self.now, 'cookie': self.cookie,
                'act': act}))
        else:
            for header in answers[-1]['cookies']:
                self.cookie = '' if 'Max-Age=0' in header else header.partition(';')[0]

    def request(self, side, request, act=''):
        for _ in range(STEPS):
            yield from self.step(side, request, act)

    def come(self, side, request):
        """What a request sees when it is admitted."""
        yield from self.step(side, request)
        return self.answers[side, request][0]


class Race:
    """Bob is in; a slow request, and one that ends the login, are interleaved."""

    def __init__(self, number, order, slow, end, late=1):
        self.case = order, slow, end, late
        self.order, self.slow, self.end, self.late = order, slow, end, late
        self.number = number

    def run(self):
        browser = Browser(self.number)
        yield from browser.request(0, 'login', self.named('login bob'))
        thief = Browser(f'{self.number} copy', browser.cookie)
        browser.now = thief.now = START + self.late
        for side in self.order:
            yield from browser.step(side, 'race', self.named((self.slow, self.end)[side]))
        #: what the slow request had for its status
        self.slow_status = browser.answers[0, 'race'][0]['status']
        #: what the next requests of the browser see, and that of who has a copy
        self.after = []
        for side in (0, 1):
            self.after.append((yield from browser.come(side, 'after')))
        self.copy = (yield from thief.come(1, 'after'))['status']

    def named(self, act):
        """Every race has a bob and an eve."""
        return re.sub('bob|eve', rf'\g<0>-{self.number}', act)

    @property
    def users(self):
        """Who is logged in afterwards."""
        return {each['user'] and each['user'].partition('-')[0] for each in self.after}


def run(sides, cases):
    """Run races, many at once: a step of each, then the next step of each."""
    races = [Race(number, *case) for number, case in enumerate(cases)]
    for start in range(0, len(races), TOGETHER):
        runs = [race.run() for race in races[start:start + TOGETHER]]
        waiting = [(each, *next(each)) for each in runs]
        while waiting:
            for number, side in enumerate(sides):
                side.send([order for _, where, order in waiting if where == number])
            answers = [iter(side.receive()) for side in sides]
            waiting = [(each, *step) for each, where, _ in waiting
                       if (step := proceed(each, next(answers[where])))]
        for side in sides:
            side.send(None)
            side.receive()
    return races


def proceed(race, answer):
    """The next step of a race, or None."""
    try:
        return race.send(answer)
    except StopIteration:
        return None


def cases(seed):
    """Systematically, then by chance: 10 000 in all."""
    systematic = list(itertools.product(ORDERS, SLOW, ENDS))
    chance = random.Random(seed)
    return systematic + [
        (chance.choice(ORDERS), chance.choice(SLOW), chance.choice(ENDS + REPLACES),
         chance.choice([0, 1, 1000, 1799])) for _ in range(INTERLEAVINGS - len(systematic))]


def test_no_login_comes_back(sides):
    """Whatever a slow request does that is no login, the login that was ended is
    void: for the browser, and for who has a copy."""
    happened = set()
    for race in run(sides, cases(2006)):
        assert race.copy == 'revoked', race.case
        if race.end in ENDS:
            assert race.users == {None}, race.case
        happened.add((race.slow, race.end, race.slow_status, race.after[0]['status']))
    # there was a race: the slow response's cookie was kept last, and was void
    for slow, status in (('', 'renewed'), ('value blue', 'ok'), ('regenerate', 'ok'),
                         ('invalidate', 'ok')):
        for end in ENDS:
            assert (slow, end, status, 'revoked') in happened


def test_a_slow_login(sides):
    """A login that the slow request makes itself is a new one: it counts, the old
    one does not, and who ends it afterwards ends it."""
    users = set()
    for race in run(sides, itertools.product(ORDERS, LOGINS, ENDS)):
        user = race.slow.split()[1]
        assert race.copy == 'revoked', race.case
        assert race.users <= {None, user}, race.case
        if race.end == 'revoke bob':
            over = user == 'bob' and nth(race.order, 0, 2) < nth(race.order, 1, 2)
        else:
            over = nth(race.order, 0, STEPS) < nth(race.order, 1, 1)
        if over:
            assert race.users == {None}, race.case
        users |= race.users
    assert users == {None, 'bob', 'eve'}


def nth(order, side, n):
    """When a side takes its n-th step."""
    return [step for step, each in enumerate(order) if each == side][n - 1]


def test_slow_groups(sides):
    """Other groups for the login that is in are a new login, too; but not when it was
    ended before."""
    users = set()
    for race in run(sides, itertools.product(ORDERS, ['groups staff'], ENDS)):
        assert race.copy == 'revoked', race.case
        ended = nth(race.order, 1, 3 if race.end == 'idiom ' else 2)
        if ended < nth(race.order, 0, 3):
            assert race.users == {None}, race.case
        users |= race.users
    assert users == {None, 'bob'}


@pytest.mark.parametrize('option, kind, users', [
    ('none', Thread, {'bob'}), ('memory', Process, {'bob', None})])
def test_without_a_list_that_both_see(option, kind, users, secret):
    """As the manual says: without a shared list the slow response brings the login
    back, and copies live on."""
    sides = [kind(option=option, secret=secret) for _ in range(2)]
    try:
        [race] = run(sides, [((0, 1, 1, 1, 1, 0, 0, 0), 'value blue', 'logout')])
    finally:
        for side in sides:
            side.close()
    assert race.users == users  # memory: the process that served the log-out knows
