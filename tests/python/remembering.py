"""Tools of sessions."""
import asyncio
import os
import time

import holding
from snakepit_bridge import on_session_end, session

over = []


def pid():
    return os.getpid()


def put(key, value):
    session[key] = value
    return os.getpid()


def get(key):
    return session.get(key)


async def get_later(key):
    await asyncio.sleep(0.02)
    return session.get(key)


def who():
    return session.id if session.active else None


def everything():
    for key in sorted(session):
        time.sleep(0.01)
        yield [key, session[key]]


async def everything_later():
    for key in sorted(session):
        await asyncio.sleep(0.01)
        yield [key, session[key]]


def hold(path):
    holding.hold(path)
    return os.getpid()


def sleep(seconds):
    time.sleep(seconds)
    return os.getpid()


def what_ended():
    return over


def crash():
    os._exit(7)


@on_session_end
def forget(ended, why):
    over.append([ended.id, why, dict(ended)])
    if ended.get("bad"):
        raise ValueError("cannot forget")
