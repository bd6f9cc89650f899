"""Tools that harm their own worker, its wire and its host, and values that no wire takes."""
import os
import signal
import threading
import time


def add(a, b):
    return a + b


def pid():
    return os.getpid()


def own_request():
    """The request that this thread runs, as the bridge knows it."""
    import gc

    here = threading.get_ident()
    slots = [one for one in gc.get_objects() if type(one).__name__ == "Slot" and one.thread == here]
    return slots[0].request


def send(data):
    import __main__

    while data:
        data = data[os.write(__main__.replies_fd, data):]


def header(length, request, kind, behind=0, files=0):
    import __main__

    return __main__.HEADER.pack(length, behind, request, kind, files)


def hang():
    """What harmed the wire is not to be mended by a reply."""
    time.sleep(60)


def text_instead_of_a_frame():
    send(b"Traceback (most recent call last):\n" * 100)
    hang()


def noise():
    # No length of a frame is that great.
    send(b"\xff" * 16 + os.urandom(4 << 20))
    hang()


def half_a_header():
    send(header(4, own_request(), 2)[:7])
    os._exit(3)


def half_a_frame():
    send(header(1000, own_request(), 2) + b'"not a thousand bytes')
    os._exit(4)


def half_a_frame_and_no_more():
    send(header(200 << 20, own_request(), 2) + b'"not 200 MiB')
    hang()


def four_gigabytes():
    send(header(0xffffffff, own_request(), 2))
    hang()


def four_gigabytes_behind():
    send(header(4, own_request(), 2, behind=0xffffffff) + b"null")
    hang()


def directory_of_nothing():
    send(header(4, own_request(), 2, behind=8) + b"null\xff\xff\xff\x00none")
    hang()


def buffer_beyond_the_frame():
    directory = b'[["<f4",[1000],4000,null]]'
    send(header(4, own_request(), 2, behind=4 + len(directory)) + b"null" + len(directory).to_bytes(4, "little") + directory)
    hang()


def file_that_did_not_come():
    directory = b'[["<f4",[1000],4000,0]]'
    data = b"null" + len(directory).to_bytes(4, "little") + directory
    send(header(4, own_request(), 2, behind=4 + len(directory), files=1) + data)
    hang()


def send_with_file(data, file):
    import __main__
    import array
    import socket

    connection = socket.socket(fileno=os.dup(__main__.replies_fd))
    connection.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [file]))])
    hang()


def reply_in_file(directory, file):
    data = b"null" + len(directory).to_bytes(4, "little") + directory
    head = header(4, own_request(), 2, behind=4 + len(directory), files=1)
    send_with_file(head + data, file)


def file_that_can_still_change():
    file = os.memfd_create("open")
    os.write(file, bytes(4000))
    reply_in_file(b'[["<f4",[1000],4000,0]]', file)


def sealed(length, written):
    import fcntl

    file = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    os.truncate(file, length)
    os.pwrite(file, bytes(written), 0)
    # F_ADD_SEALS: it neither shrinks nor grows.
    fcntl.fcntl(file, 1033, 2 | 4)
    return file


def file_that_is_mostly_claimed():
    reply_in_file(b'[["|u1",[1000000000000],1000000000000,0]]', sealed(2 << 40, 4096))


def file_that_is_sent_as_many():
    reply_in_file(b'[["|u1",[4000],4000,0],["|u1",[4000],4000,0]]', sealed(8192, 8192))


def file_without_a_frame():
    # It comes with a frame that tells of none.
    send_with_file(header(4, 0, 14) + b"null", os.memfd_create("left"))


def flood():
    """Frames that a worker may send, without an end."""
    together = (header(4, 0, 14) + b"null") * 4096
    while True:
        send(together)


def unknown_kind():
    send(header(4, own_request(), 99) + b"null")
    hang()


def host_kind(kind):
    """A frame that only a host sends, or only a worker that starts."""
    send(header(4, own_request(), kind) + b"null")
    hang()


def answer_of_nobody():
    send(header(4, 4_000_000_000, 2) + b"null")
    hang()


def error_of_nobody():
    send(header(4, 4_000_000_000, 3) + b"null")
    hang()


def item_of_nobody():
    send(header(1, 4_000_000_000, 7) + b"1")
    hang()


def item_of_a_call():
    send(header(1, own_request(), 7) + b"1")
    hang()


def no_json():
    send(header(5, own_request(), 2) + b"{not}")
    hang()


def no_utf8():
    send(header(4, own_request(), 2) + b'"\xff\xfe"')
    hang()


def error_without_a_meaning():
    send(header(9, own_request(), 3) + b'{"kind":1')
    hang()


def answer_twice():
    send(header(7, own_request(), 2) + b'"first"')
    return "second"


def shut_the_sockets():
    import __main__
    import socket

    socket.socket(fileno=os.dup(__main__.replies_fd)).shutdown(socket.SHUT_RDWR)
    hang()


def end_behind(data):
    """The end of what it writes right behind that; it reads on, and its process stays."""
    import __main__
    import socket

    connection = socket.socket(fileno=os.dup(__main__.replies_fd))
    if data:
        os.write(__main__.replies_fd, data)
    connection.shutdown(socket.SHUT_WR)
    hang()


def no_more():
    end_behind(b"")


def half_a_frame_and_no_more():
    end_behind(header(100, own_request(), 2) + b'"half')


def answer_and_no_more():
    end_behind(header(7, own_request(), 2) + b'"first"')


def answer_and_noise():
    send(header(7, own_request(), 2) + b'"first"' + b"noise" * 10)
    hang()


def close_everything():
    os.closerange(0, 256)
    hang()


def fork_and_return():
    """Both processes come back from the call."""
    os.fork()
    return "one of two"


def fork_a_holder():
    """A child that is in no group of ours, and keeps what it inherited."""
    child = os.fork()
    if child == 0:
        os.setsid()
        time.sleep(30)
        os._exit(0)
    os._exit(5)


def leave_a_child():
    """The number of a child that goes on after the call."""
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    return child


def fill_stderr(megabytes):
    for _ in range(megabytes * 16):
        os.write(2, b"\xffx" * (32 << 10))
    return megabytes


def fill_stderr_and_crash(megabytes):
    fill_stderr(megabytes)
    os.write(2, b"\nthe last line\n")
    os._exit(6)


def leave():
    os._exit(7)


def without_core():
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def abort():
    without_core()
    os.abort()


def segfault():
    import ctypes

    without_core()
    ctypes.string_at(0)


def stop():
    os.kill(os.getpid(), signal.SIGSTOP)
    # The thread that sends it may run on for a moment: it is not to answer.
    hang()


class Loud:
    def __repr__(self):
        raise SystemExit("a value that cannot be shown")

    __str__ = __repr__


class Wicked(Exception):
    def __str__(self):
        raise KeyboardInterrupt


class Unhashable(dict):
    def items(self):
        raise RuntimeError("no items today")


def wicked_exception():
    raise Wicked


def deep_exception():
    """A chain of causes longer than what fits into a traceback."""
    error = None
    for number in range(3000):
        new = ValueError("x" * 1000 + str(number))
        new.__cause__ = error
        error = new
    raise error


def endless_recursion():
    return endless_recursion()


def deep_list(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def deep_dict(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def cyclic_list():
    value = [1]
    value.append({"again": value})
    return value


def cyclic_dict():
    value = {}
    value["self"] = value
    return value


VALUES = {
    "nan": float("nan"),
    "infinity": [float("inf")],
    "minus_infinity": {"a": [-float("inf")]},
    "nan_key": {float("nan"): 1},
    "tuple_key": {(1, 2): 1},
    "bytes_key": {"a": {b"b": 1}},
    "object_key": {Loud(): 1},
    "object": Loud(),
    "function": [add],
    "wicked_dict": Unhashable(a=1),
    "lone_surrogate": "\ud800",
    "lone_low_surrogate": ["a", "\udc00b"],
    "surrogate_key": {"\udfff": 1},
    "wide": 2 ** 64,
    "very_wide": -(10 ** 4000),
    "int_key": {1: "one"},
    "u64": 2 ** 64 - 1,
    "i64": -2 ** 63,
}


def value(name):
    return VALUES[name]


def huge():
    """Longer than a frame may be."""
    return "x" * (257 << 20)


def same(value):
    return value


def describe(value):
    return type(value).__name__ + " " + repr(value)[:100]
