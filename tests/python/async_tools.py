"""The tools of an async worker."""
import asyncio
import functools
import os
import threading
import time

here = threading.get_ident()
arrived = 0
meeting = asyncio.Event()


async def meet(count):
    """Ends when so many calls are here at the same time."""
    global arrived
    arrived += 1
    if arrived == count:
        meeting.set()
    await meeting.wait()
    return arrived


async def on_the_loop():
    return threading.get_ident() == here


def in_a_thread():
    return threading.get_ident() != here


def sleep(seconds):
    time.sleep(seconds)
    return os.getpid()


async def later(value, seconds=0.01):
    await asyncio.sleep(seconds)
    return value


def given_later(value):
    return later(value)


partly = functools.partial(later, seconds=0)
partly.__module__ = __name__


async def fail(message):
    await asyncio.sleep(0)
    raise ValueError(message)


async def leave():
    raise SystemExit(3)


async def give_up():
    raise asyncio.CancelledError()


async def unencodable():
    return object()


async def crash():
    os._exit(7)
