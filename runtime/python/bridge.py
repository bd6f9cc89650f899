"""The Python half of a Snakepit worker: reads requests, runs tools, writes replies. Standard library only.

The host sends this source over the worker's own descriptors, so that nothing lies on disk. A worker that is ready
costs little more than `python -c pass`: everything that a first request does not need is imported where it is used,
and what only some workers need is a part of its own, which is compiled when it is asked for. Python 3.8 and later.
"""
import os
import sys

# `-c` puts the working directory first, where any file could stand before an installed module, and before those that
# follow here.
if sys.path and sys.path[0] == "":
    del sys.path[0]
import _signal
import _thread
from _struct import Struct
from stat import S_ISSOCK
from time import monotonic

# Two sockets locally, two pipes behind a container's engine. Nobody else gets them: they are not inherited, and what
# user code prints goes to stderr.
requests_fd = os.dup(0)
replies_fd = os.dup(1)
null = os.open(os.devnull, os.O_RDWR)
os.dup2(null, 0)
os.dup2(2, 1)


def let_go():
    """In a forked child: it takes no requests from the worker, and what it sends as a reply goes nowhere."""
    global shares
    # What it would write into shared memory is its parent's.
    shares = False
    os.dup2(null, requests_fd, False)
    os.dup2(null, replies_fd, False)


os.register_at_fork(after_in_child=let_go)

# JSON length, bytes behind the JSON, request, kind, files: as in the host's `frame.rs`.
HEADER = Struct("<IIIBB2x")
REQUEST, REPLY, ERROR, READY, FAILED, CANCEL, ITEM, CREDIT = 1, 2, 3, 4, 5, 6, 7, 8
HOST_CALL, HOST_REPLY, HOST_ERROR = 9, 10, 11
PING, PONG, SHARE = 12, 13, 14
LIMIT = 256 << 20
# JSON that it is worth while to be quick at.
LARGE = 16 << 10
# What is let go of when it was not needed for a while.
rests = []
making = _thread.allocate_lock()


def part(name):
    """Makes a part of the bridge that was not needed until now. The loader has read them: names and texts in turn, of
    which a table is made when the first one is needed."""
    global parts
    if type(parts) is bytes or name in parts:
        with making:
            if type(parts) is bytes:
                texts = parts.split(b"\0")
                parts = {key.decode(): text for key, text in zip(texts[::2], texts[1::2])}
            if name in parts:
                # The loader's: it ran this text as well.
                run_source(parts[name])
                del parts[name]


def finish(worker, slot, coroutine):
    """Brings the coroutine of an `async def` tool to its end."""
    if worker.loop is not None:
        return worker.loop.finish(slot, coroutine)
    part("coroutines")
    return run_to_end(slot, coroutine)


def codec():
    """Makes decoders and encoders of JSON, without `import json`, which costs as much as a fifth of the
    interpreter's start. The one gets a hook for numbers with a fraction or an exponent, the other one for values that
    JSON does not know."""
    try:
        import _json

        class Context:
            strict = True
            object_hook = None
            object_pairs_hook = None
            parse_int = int
            parse_constant = float
            memo = {}

        def decoder(parse_float):
            context = Context()
            context.parse_float = parse_float
            scan = _json.make_scanner(context)

            def decode(text):
                return scan(text, 0)[0]

            return decode

        def encoder(default):
            # Without markers the encoder follows a cycle until the recursion limit, which is an error as well.
            chunks = _json.make_encoder(
                None, default, _json.encode_basestring_ascii, None, ":", ",", False, False, False
            )

            def encode(value):
                return "".join(chunks(value, 0)).encode()

            return encode

        # These are CPython's private names: one that has changed shows here, and the public ones take over.
        tried = {"a": [1, 2.5, "\u00e9", None, True]}
        if decoder(float)(encoder(refuse)(tried).decode()) == tried:
            return decoder, encoder
    except Exception:
        pass
    part("public_json")
    return public_codec()


class Unencodable(TypeError):
    pass


def refuse(value):
    """JSON does not know it; `values.py` may."""
    raise Unencodable


decoder, encoder = codec()
decode, encode = decoder(float), encoder(refuse)


def encode_value(value):
    """The JSON of what user code gave; not always only bytes: see `Packed`."""
    try:
        body = encode(value)
    except Exception:
        body = None
    if body is None:
        part("values")
        body = encode_any(value)
    if len(body) >= LARGE:
        part("large")
        note_large(len(body))
    return body


def decode_value(text):
    """What the host gave to user code."""
    if len(text) >= LARGE:
        part("large")
        note_large(len(text))
    return decode(text) if type(text) is str else decode_loaded(text)


class Reader:
    """Frames out of a descriptor."""

    def __init__(self, fd):
        self.fd = fd
        self.buffer = b""
        self.position = 0
        self.read_some = os.read
        self.read_into = lambda view: os.readv(fd, [view])
        # Those that came with what was read, if it is read so.
        self.files = []

    def fill(self, count):
        """Makes `count` unread bytes stand in the buffer; false at the end of input."""
        missing = count - (len(self.buffer) - self.position)
        if missing <= 0:
            return True
        read = [self.buffer[self.position:]]
        while missing > 0:
            some = self.read_some(self.fd, max(missing, 65536))
            if not some:
                return False
            read.append(some)
            missing -= len(some)
        self.buffer = b"".join(read)
        self.position = 0
        return True

    def read(self):
        """The next frame as request, kind and JSON text; None at the end of input."""
        if not self.fill(16):
            return None
        length, extra, request, kind, files = HEADER.unpack_from(self.buffer, self.position)
        self.position += 16
        if extra:
            part("buffers")
            text = load(self, length, extra, files)
            return text if text is None else (request, kind, text)
        start = self.position
        if length >= LARGE and length > len(self.buffer) - start:
            part("large")
            data = read_straight(self, length)
            return data if data is None else (request, kind, str(data, "utf-8"))
        if not self.fill(length):
            return None
        start = self.position
        self.position = start + length
        if kind == SHARE:
            part("buffers")
            share(self)
            return self.read()
        return request, kind, str(self.buffer[start:start + length], "utf-8")

    def is_empty(self):
        return self.position == len(self.buffer)


writing = _thread.allocate_lock()


def write(data):
    with writing:
        sent = os.write(replies_fd, data)
        while sent < len(data):
            sent += os.write(replies_fd, data[sent:])


def frame(request, kind, body):
    return HEADER.pack(len(body), 0, request, kind, 0) + body


def send(request, kind, body):
    """Writes a frame with what `encode_value` made."""
    if type(body) is not bytes:
        send_packed(request, kind, body)
    elif len(body) < LARGE:
        write(frame(request, kind, body))
    else:
        part("large")
        send_large(HEADER.pack(len(body), 0, request, kind, 0), body)


class Cancelled(BaseException):
    """Raised in a tool that nobody waits for any more: its caller has gone, or its time is over."""


class Slot:
    """One thread that runs requests: what it runs, and how that is made to stop.

    An interrupt comes from another thread (`interrupts.py`) and may come too late. It strikes only the request that it
    is meant for, only while the slot is open, and once.
    """

    __slots__ = ("request", "target", "cancelled", "open", "thread", "lock", "struck", "stop", "in_session")

    def __init__(self, main=False):
        self.request = self.target = self.cancelled = None
        # What stops the request where an interrupt does not reach it, such as on an event loop.
        self.stop = None
        self.open = self.struck = self.in_session = False
        self.thread = _thread.get_ident()
        # In the main thread a signal's handler does all this between two steps of the tool itself.
        self.lock = None if main else _thread.allocate_lock()

    def on_signal(self, number, stack):
        if self.open:
            self.check()

    def enter(self):
        """From here on an interrupt raises `Cancelled`, here if it came before."""
        self.open = True
        if self.target is not None:
            self.check()

    def check(self):
        if self.target == self.request:
            self.target = None
            self.leave()
            raise Cancelled

    def leave(self):
        """From here on no interrupt raises anything. One that is on its way to this thread does so now or never."""
        if self.lock is None:
            self.open = False
            return
        with self.lock:
            self.open = False
            if self.struck:
                self.struck = False
                raise_in(self.thread, None)


class Worker:
    def __init__(self, config, inbox):
        self.number = config["worker"]
        self.started = monotonic()
        self.requests = 0
        self.errors = 0
        self.tools = {"ping": self.ping, "echo": echo, "get_stats": self.get_stats}
        self.inbox = inbox
        self.read = inbox.read
        self.deliver = None
        self.reading = _thread.allocate_lock()
        # Requests that were taken, and those cancelled before.
        self.taken = 0
        self.cancelled = set()
        self.slots = []
        # How much room the host has for the items of each stream.
        self.flows = {}
        # In the async profile.
        self.loop = None
        self.ready = False
        # Where what a request gives before its reply goes.
        self.send = send
        # Of an adapter that is a class.
        self.cleanup = None
        self.host_tools = config["host_tools"]

    def ping(self):
        return {"message": "pong", "worker": self.number}

    def get_stats(self):
        part("stats")
        return stats(self)

    def serve(self, slot=None):
        """Takes one request after the other: a reply is written before the next request begins."""
        if slot is None:
            slot = Slot()
            self.slots.append(slot)
        lock, read = self.reading, self.read
        while True:
            with lock:
                taken = read()
                if taken is None:
                    # The others are told by each other: one of them may not have begun to listen yet.
                    if self.deliver is not None:
                        self.deliver(None)
                    return
                # In this order: who looks for a request that was taken finds it in its slot, or it is done.
                slot.request = request = taken[0]
                self.taken += 1
            kind, body = self.answer(slot, request, taken[2])
            taken = None
            try:
                send(request, kind, body)
            except OSError:
                return
            # What the request held is let go before the worker waits for the next one.
            body = None

    def answer(self, slot, request, text):
        """Runs a request: the kind of the reply, and its JSON."""
        self.requests += 1
        try:
            try:
                if self.cancelled and request in self.cancelled:
                    self.cancelled.discard(request)
                    slot.cancelled = request
                    raise Cancelled
                slot.enter()
                asked = decode_value(text)
                tool = self.tools.get(asked[0])
                if len(asked) > 2:
                    part("more")
                    kind, body = answer_more(self, slot, tool, asked[1], asked[2])
                elif tool is None:
                    part("faults")
                    kind, body = unknown_tool(self)
                else:
                    value = call(tool, asked[1])
                    if type(value) is Coroutine:
                        value = finish(self, slot, value)
                    kind, body = outcome(value)
            except BaseException as error:
                kind, body = failure(slot.cancelled == request, error)
            slot.leave()
        except BaseException as error:
            # An interrupt that came when the tool had just ended.
            kind, body = failure(slot.cancelled == request, error)
            slot.leave()
        # Here nothing interrupts any more.
        if slot.in_session:
            slot.in_session = False
            leave_session()
        if kind == ERROR:
            self.errors += 1
        return kind, body

def call(tool, arguments):
    shape = type(arguments)
    if shape is dict:
        return tool(**arguments)
    if shape is list:
        return tool(*arguments)
    if arguments is None:
        return tool()
    return tool(arguments)


def outcome(value):
    """A tool's value as the kind of a reply and its JSON."""
    try:
        return REPLY, encode_value(value)
    except Exception as error:
        part("faults")
        return ERROR, unsendable(value, error)


def failure(cancelled, error):
    if cancelled:
        return ERROR, encode({"kind": "cancelled"})
    part("faults")
    return ERROR, fault(error, "exception")


def echo(*arguments, **named):
    if arguments and not named:
        return arguments[0] if len(arguments) == 1 else list(arguments)
    return named if named else None


async def nothing():
    pass


unused = nothing()
Coroutine = type(unused)
unused.close()
# Held until the main thread leaves.
left = _thread.allocate_lock()
left.acquire()


def listen(worker, control, watched):
    part("control")
    attend(worker, control, watched)


def main():
    global MARK, share_from, shares, lenient
    inbox = Reader(requests_fd)
    first = inbox.read()
    if first is None:
        return
    config = decode(first[2])
    MARK = config["mark"]
    share_from = config["share_from"]
    lenient = config["lenient"]
    sys.path[:0] = config["python_path"]
    sys.argv = ["snakepit-worker"]
    # A print appears at once, line by line, on the host's side.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    worker = Worker(config, inbox)
    slot = Slot(main=True)
    worker.slots.append(slot)
    if config["concurrency"] is not None:
        part("event_loop")
        worker.loop = EventLoop(worker, config["concurrency"])
    else:
        _signal.signal(_signal.SIGURG, slot.on_signal)
    # The reply socket's other direction, if it is the host's own: what comes there is read at any time, while requests
    # are read by whoever is free. Through a pipe all comes one after the other, and is taken in as it comes.
    status = os.fstat(replies_fd)
    direct = S_ISSOCK(status.st_mode) and status.st_ino == config["control"]
    shares = direct and hasattr(os, "memfd_create")
    if direct:
        attended = Reader(replies_fd), requests_fd
    else:
        part("piped")
        attended = hand_on(worker), None
    # Before user code: a module that hangs while it is imported must not outlive the host either.
    _thread.start_new_thread(listen, (worker,) + attended)
    if config["adapter"]:
        part("adapter")
        if not adopt(worker, config["adapter"], config["embedded"]):
            return
    server = None
    if config["grpc"]:
        for name in ("buffers", "grpc_messages", "grpc_server"):
            part(name)
        server = open_server(worker, config["grpc"], config["concurrency"] or config["threads"])
        if server is None:
            return
    write(frame(0, READY, encode({"tools": sorted(worker.tools), "control": direct, "shares": shares, "pid": os.getpid()})))
    # Behind it: a thread of the adapter may wait for this to call the host, who listens from then on.
    worker.ready = True
    if worker.loop is not None:
        worker.loop.run(direct)
    else:
        for _ in range(config["threads"] - 1):
            _thread.start_new_thread(worker.serve, ())
        worker.serve(slot)
    if worker.cleanup is not None:
        clean_up(worker)
    if server is not None:
        server.stop(None)
    left.release()


main()
