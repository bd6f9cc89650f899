"""Tools of the tests that take and give bytes and arrays. numpy is not imported here."""
import array
import asyncio

from snakepit_bridge import host


def kind_of(value):
    return type(value).__name__


def same(value):
    return value


async def later_same(value):
    await asyncio.sleep(0)
    return value


def describe(view):
    return [type(view).__name__, view.format, list(view.shape), view.tolist()]


def inside(image):
    return {"name": image["name"], "pixels": image["pixels"], "parts": [b"a", [bytearray(b"bc")]], "size": 1.5}


def pieces(count, size):
    for index in range(count):
        yield {"index": index, "data": bytes([index]) * size}


async def later_pieces(count, size):
    for index in range(count):
        yield {"index": index, "data": bytes([index]) * size}


def every_format():
    return [array.array(code, [1, 2, 3]) for code in "bBhHiIqQfd"]


def every_other():
    return memoryview(bytes(range(10)))[::2]


def ask_host(value):
    return host.turn(value)


async def ask_host_later(value):
    return await host.turn(value)


def scribble(view):
    view[0] = 99
    return view


def total(data):
    return len(data)


def too_long(size):
    return [bytes(size // 2), bytes(size // 2 + 1)]


def no_elements():
    import ctypes

    class Pair(ctypes.Structure):
        _fields_ = [("a", ctypes.c_int), ("b", ctypes.c_double)]

    return {"pairs": [1, (Pair * 2)()]}


def digits(text):
    return [text, text + "0", float("1e300"), b"x"]


def open_files():
    import os

    return sorted(os.readlink("/proc/self/fd/" + fd) for fd in os.listdir("/proc/self/fd") if os.path.islink("/proc/self/fd/" + fd))


def same_in_fork(data):
    """The child answers as well, and nobody hears it."""
    import os

    child = os.fork()
    if child == 0:
        return bytes(len(data))
    os.waitpid(child, 0)
    return data


def segments():
    """This worker's memory files, and those of them that the host still needs."""
    import __main__

    return len(__main__.segments), sum(segment.map[-1] for segment in __main__.segments)


def forget(data):
    pass


def die(data):
    import os

    os._exit(3)
