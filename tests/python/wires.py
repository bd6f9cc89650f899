"""Tools of the tests that run over both wires."""
import asyncio
import dataclasses
import os
import threading
import time

import holding
from snakepit_bridge import HostError, host, on_session_end, session

log = []
most = 0
under_way = 0
counting = threading.Lock()


@dataclasses.dataclass
class Point:
    x: int
    y: float


def pid():
    return os.getpid()


def what_happened():
    return log


def add(a, b=0):
    return a + b


async def add_later(a, b):
    await asyncio.sleep(0.01)
    return a + b


def point(x, y):
    return Point(x, y)


def odd():
    return {"inside": [object()]}


def not_a_number():
    return [1.0, float("nan")]


def fail(message):
    raise ValueError(message)


def crash():
    os._exit(7)


def hold(path):
    holding.hold(path)
    return "let go"


def sleep(seconds, file=None):
    try:
        if file is not None:
            holding.begin(file)
        time.sleep(seconds)
        return "slept"
    except BaseException as error:
        log.append(type(error).__name__)
        raise


async def sleep_later(seconds):
    try:
        await asyncio.sleep(seconds)
    except BaseException as error:
        log.append(type(error).__name__)
        raise


def together(seconds):
    """How many of its calls were under way at once."""
    global most, under_way
    with counting:
        under_way += 1
        most = max(most, under_way)
    time.sleep(seconds)
    with counting:
        under_way -= 1
    return most


def numbers(count, fail_at=None):
    try:
        for number in range(count):
            if number == fail_at:
                raise ValueError("no number %d" % number)
            yield number
    finally:
        log.append("closed")


async def numbers_later(count):
    try:
        for number in range(count):
            await asyncio.sleep(0)
            yield number
    finally:
        log.append("closed")


def large(count, size):
    for number in range(count):
        log.append(number)
        yield bytes(size)


def reverse(data):
    return data[::-1]


def doubled(array):
    return [len(array), memoryview(bytearray(bytes(array) * 2)).cast(array.format)]


def put(key, value):
    session[key] = value


def get(key):
    return session.get(key)


@on_session_end
def over(store, why):
    log.append([store.id, why])


def ask(name, value):
    return getattr(host, name)(value)


def ask_in_vain():
    try:
        host.refuse(None)
    except HostError as error:
        return str(error)


def where_it_listens():
    """The socket of the gRPC server that this worker is."""
    own = set()
    for entry in os.listdir("/proc/self/fd"):
        try:
            own.add(os.readlink("/proc/self/fd/" + entry))
        except OSError:
            pass
    with open("/proc/net/unix") as table:
        rows = [line.split() for line in table]
    paths = [row[7] for row in rows if len(row) > 7 and "socket:[%s]" % row[6] in own]
    return next(path for path in paths if path.endswith("/worker"))
