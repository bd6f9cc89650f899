"""Tools that give streams."""
import asyncio
import os
import time

log = []
made = 0


def what_happened():
    return log


def how_many():
    return made


def pid():
    return os.getpid()


def numbers(count, fail_at=None, pause=0):
    global made
    made = 0
    try:
        for number in range(count):
            if number == fail_at:
                raise ValueError("no number %d" % number)
            made += 1
            yield number
            if pause:
                time.sleep(pause)
    except BaseException as error:
        log.append(type(error).__name__)
        raise
    finally:
        log.append("closed")


async def later_numbers(count, fail_at=None, pause=0):
    global made
    made = 0
    try:
        for number in range(count):
            if number == fail_at:
                raise ValueError("no number %d" % number)
            await asyncio.sleep(pause)
            made += 1
            yield number
    except BaseException as error:
        log.append(type(error).__name__)
        raise
    finally:
        await asyncio.sleep(0)
        log.append("closed")


def mapped(count):
    return map(str, range(count))


async def later_mapped(count):
    return later_numbers(count)


def listed(count):
    return list(range(count))


def unencodable(count):
    try:
        yield from range(count)
        yield object()
    finally:
        log.append("closed")


def crash_after(count):
    yield from range(count)
    os._exit(7)


def crash_once(path, count, after):
    with open(path, "a") as runs:
        runs.write("x")
    for number in range(count):
        if number == after and os.path.getsize(path) == 1:
            os._exit(7)
        yield number


def stuck():
    yield 1
    time.sleep(60)


def texts(count, length):
    for _ in range(count):
        yield "x" * length


def flood():
    """Writes items that nobody has room for."""
    import __main__
    import gc

    slot = next(one for one in gc.get_objects() if type(one).__name__ == "Slot")
    for _ in range(100):
        __main__.write(__main__.frame(slot.request, __main__.ITEM, b"1"))
    time.sleep(60)


def square(number):
    return number * number


def square_slowly(number):
    time.sleep(0.002)
    if number == 7:
        raise ValueError("seven")
    return number * number
