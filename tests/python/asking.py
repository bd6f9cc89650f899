"""Tools that call the host's."""
import asyncio
import threading
import time

from snakepit_bridge import HostError, host

log = []


def names():
    return host.list()


def ask(name, *arguments):
    return getattr(host, name)(*arguments)


def ask_named(**named):
    return host.greet(**named)


async def ask_later(name, *arguments):
    return await getattr(host, name)(*arguments)


async def ask_side_by_side(count):
    return await asyncio.gather(*(host.slowly(number) for number in range(count)))


def ask_from_threads(count):
    answers = {}

    def one(number):
        answers[number] = host.double(number)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in range(count)]


def catch(name, *arguments):
    try:
        getattr(host, name)(*arguments)
    except HostError as error:
        return "HostError: %s" % error
    except AttributeError as error:
        return "AttributeError: %s" % error
    except TypeError as error:
        return "TypeError: %s" % error


def both():
    try:
        host.greet("a", name="b")
    except TypeError as error:
        return str(error)


def wait_for_ever():
    log.append("begun")
    try:
        host.never()
    except BaseException as error:
        log.append(type(error).__name__)
        raise


async def wait_for_ever_later():
    log.append("begun")
    try:
        await host.never()
    except BaseException as error:
        log.append(type(error).__name__)
        raise


def leave_waiting():
    threading.Thread(target=host.never, daemon=True).start()
    time.sleep(0.1)


def what_happened():
    return log


def add(a, b):
    return a + b


def doubled(count):
    for number in range(count):
        yield host.double(number)


def garbled(body):
    import __main__

    __main__.write(__main__.frame(7, __main__.HOST_CALL, body.encode()))
    time.sleep(0.1)
    return "still here"
