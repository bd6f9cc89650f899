"""Tools that are cancelled."""
import asyncio
import os
import time

import holding

log = []
survived = 0


def pid():
    return os.getpid()


def what_happened():
    return log


def add(a, b=0):
    return a + b


def burn(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def begin(name, file):
    log.append("begun " + name)
    if file is not None:
        holding.begin(file)


def spin(seconds, name="spin", file=None):
    try:
        begin(name, file)
        # A loop in a function of its own: what is raised as a loop of Python 3.13 jumps back passes by the handlers
        # around that loop.
        burn(seconds)
    except BaseException as error:
        log.append("%s in %s" % (type(error).__name__, name))
        raise
    finally:
        log.append("end of " + name)


def sleep(seconds, name="sleep", file=None):
    try:
        begin(name, file)
        time.sleep(seconds)
    finally:
        log.append("end of " + name)
    return os.getpid()


def nap(seconds):
    """Short work in many steps."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.0002)
    return seconds


def refuse(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            time.sleep(0.05)
        except BaseException:
            pass


async def wait(seconds, name="wait", file=None):
    try:
        begin(name, file)
        await asyncio.sleep(seconds)
    except BaseException as error:
        log.append("%s in %s" % (type(error).__name__, name))
        raise
    return os.getpid()


def crash_first(path, times):
    """Ends its worker so many times, counted in a file."""
    with open(path, "a") as runs:
        runs.write("x")
    if os.path.getsize(path) <= times:
        os._exit(7)
    return os.path.getsize(path)
