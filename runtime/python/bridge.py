"""The Python half of a Snakepit worker: reads requests, runs tools, writes replies. Standard library only.

The host sends this source over the worker's own descriptors, so that nothing lies on disk. A worker that is ready
costs little more than `python -c pass`: everything that a first request does not need is imported where it is used.
Python 3.8 and later.
"""
import os
import sys
import _thread
from _struct import Struct
from time import monotonic

# Both are one socket locally, and two pipes behind a manager or a container. Nobody else gets them: they are not
# inherited, and what user code prints goes to stderr.
requests_fd = os.dup(0)
replies_fd = os.dup(1)
null = os.open(os.devnull, os.O_RDONLY)
os.dup2(null, 0)
os.close(null)
os.dup2(2, 1)

# JSON length, bytes behind the JSON, request, kind: as in the host's `frame.rs`.
HEADER = Struct("<IIIB3x")
REQUEST, REPLY, ERROR, READY, FAILED = 1, 2, 3, 4, 5
LIMIT = 256 << 20


def codec():
    """JSON without `import json`, which costs as much as a fifth of the interpreter's start."""
    try:
        import _json

        class Context:
            strict = True
            object_hook = None
            object_pairs_hook = None
            parse_float = float
            parse_int = int
            parse_constant = float
            memo = {}

        scan = _json.make_scanner(Context())
        # Without markers the encoder follows a cycle until the recursion limit, which is an error as well.
        chunks = _json.make_encoder(
            None, refuse, _json.encode_basestring_ascii, None, ":", ",", False, False, False
        )

        def decode(text):
            return scan(text, 0)[0]

        def encode(value):
            return "".join(chunks(value, 0)).encode()

        # These are CPython's private names: one that has changed shows here, and the public ones take over.
        if decode(encode({"a": [1, 2.5, "\u00e9", None, True]}).decode()) == {"a": [1, 2.5, "\u00e9", None, True]}:
            return decode, encode
    except Exception:
        pass
    import json

    def encode(value):
        return json.dumps(value, default=refuse, separators=(",", ":"), allow_nan=False).encode()

    return json.loads, encode


class Unencodable(TypeError):
    pass


def refuse(value):
    raise Unencodable("a value of type `%s` has no JSON form" % type(value).__name__)


decode, encode = codec()


class Wire:
    """Frames out of and into the two descriptors."""

    def __init__(self):
        self.buffer = b""
        self.position = 0
        self.reading = _thread.allocate_lock()
        self.writing = _thread.allocate_lock()

    def fill(self, count):
        """Makes `count` unread bytes stand in the buffer; false at the end of input."""
        missing = count - (len(self.buffer) - self.position)
        if missing <= 0:
            return True
        parts = [self.buffer[self.position:]]
        while missing > 0:
            part = os.read(requests_fd, max(missing, 65536))
            if not part:
                return False
            parts.append(part)
            missing -= len(part)
        self.buffer = b"".join(parts)
        self.position = 0
        return True

    def read(self):
        """The next frame as request, kind and JSON text; None at the end of input."""
        if not self.fill(16):
            return None
        length, extra, request, kind = HEADER.unpack_from(self.buffer, self.position)
        self.position += 16
        if not self.fill(length + extra):
            return None
        start = self.position
        self.position = start + length + extra
        return request, kind, str(self.buffer[start:start + length], "utf-8")

    def take_in(self, arrived):
        """Reads what has arrived while every thread is busy: one that waits for a request reads by itself."""
        if not self.reading.acquire(False):
            return
        try:
            parts = [self.buffer[self.position:]]
            # What did not fit into the pipe follows in a moment.
            while arrived.poll(20 if len(parts) > 1 else 0):
                part = os.read(requests_fd, 1 << 20)
                if not part:
                    os._exit(0)
                parts.append(part)
            if len(parts) > 1:
                self.buffer = b"".join(parts)
                self.position = 0
        finally:
            self.reading.release()

    def write(self, request, kind, body):
        frame = HEADER.pack(len(body), 0, request, kind) + body
        sent = os.write(replies_fd, frame)
        while sent < len(frame):
            sent += os.write(replies_fd, frame[sent:sent + (1 << 20)])


wire = Wire()


def describe(error, kind="exception"):
    """An exception as data; what an exception's own methods raise is not allowed to hide it."""
    import traceback

    try:
        message = str(error)
    except BaseException as inner:
        message = "<its __str__ raised %s>" % type(inner).__name__
    try:
        trace = error.__traceback__
        # The frames of this file say nothing to the user.
        while trace is not None and trace.tb_frame.f_code.co_filename == "<snakepit bridge>":
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, trace))
    except BaseException:
        text = ""
    kind_of = type(error)
    name = kind_of.__qualname__ if kind_of.__module__ in ("builtins", "__main__") \
        else "%s.%s" % (kind_of.__module__, kind_of.__qualname__)
    texts = {"type": name, "message": message[:65536], "traceback": text[-262144:]}
    # A file name that is no UTF-8 is text with lone surrogates, which nobody else takes for text.
    fault = {key: value.encode("utf-8", "backslashreplace").decode() for key, value in texts.items()}
    fault["kind"] = kind
    return encode(fault)


class Worker:
    def __init__(self, config):
        self.number = config["worker"]
        self.started = monotonic()
        self.requests = 0
        self.errors = 0
        self.tools = {"ping": self.ping, "echo": echo, "get_stats": self.get_stats}

    def ping(self):
        return {"message": "pong", "worker": self.number}

    def get_stats(self):
        implementation = sys.implementation.name
        gil = getattr(sys, "_is_gil_enabled", None)
        return {
            "pid": os.getpid(),
            "worker": self.number,
            "requests": self.requests,
            "errors": self.errors,
            "uptime_seconds": monotonic() - self.started,
            "python_version": "%d.%d.%d" % sys.version_info[:3],
            "implementation": implementation,
            "executable": sys.executable,
            "prefix": sys.prefix,
            "base_prefix": sys.base_prefix,
            "virtual_env": os.environ.get("VIRTUAL_ENV"),
            "gil_enabled": True if gil is None else gil(),
            "tools": sorted(self.tools),
        }

    def adopt(self, name):
        """Imports the user's module and takes its tools: those marked with `@tool`, else all public functions."""
        from importlib import import_module

        module = import_module(name)
        functions = {
            key: value for key, value in vars(module).items() if callable(value) and not isinstance(value, type)
        }
        marked = {
            value.__snakepit_tool__: value for value in functions.values() if hasattr(value, "__snakepit_tool__")
        }
        public = {
            key: value
            for key, value in functions.items()
            if not key.startswith("_") and getattr(value, "__module__", None) == name
        }
        self.tools.update(marked or public)

    def serve(self):
        """Takes one request after the other: a reply is written before the next request begins."""
        read, lock, tools = wire.read, wire.reading, self.tools
        while True:
            with lock:
                frame = read()
            if frame is None:
                return
            request, kind, text = frame
            self.requests += 1
            kind = ERROR
            try:
                name, arguments = decode(text)
                tool = tools.get(name)
                if tool is None:
                    body = encode({"kind": "unknown_tool", "tools": sorted(tools)})
                else:
                    shape = type(arguments)
                    if shape is dict:
                        value = tool(**arguments)
                    elif shape is list:
                        value = tool(*arguments)
                    elif arguments is None:
                        value = tool()
                    else:
                        value = tool(arguments)
                    if type(value) is Coroutine:
                        value = finish(value)
                    try:
                        body = encode(value)
                        if len(body) > LIMIT:
                            raise Unencodable("the reply is longer than %d bytes" % LIMIT)
                        kind = REPLY
                    except (ValueError, TypeError, RecursionError, MemoryError) as error:
                        body = describe(error, "encoding")
            except BaseException as error:
                body = describe(error)
            if kind == ERROR:
                self.errors += 1
            try:
                with wire.writing:
                    wire.write(request, kind, body)
            except OSError:
                return
            # What the request held is let go before the worker waits for the next one.
            frame = text = arguments = value = body = None


def echo(*arguments, **named):
    if arguments and not named:
        return arguments[0] if len(arguments) == 1 else list(arguments)
    return named if named else None


async def nothing():
    pass


unused = nothing()
Coroutine = type(unused)
unused.close()
loops = {}


def finish(coroutine):
    """Runs an `async def` tool to its end, on an event loop that the thread keeps."""
    thread = _thread.get_ident()
    loop = loops.get(thread)
    if loop is None:
        from asyncio import new_event_loop

        loop = loops[thread] = new_event_loop()
    return loop.run_until_complete(coroutine)


def leave_with_the_host():
    """Ends the process as soon as the host has gone, also while a tool is busy."""
    try:
        from select import POLLIN, POLLNVAL, poll
        from stat import S_ISFIFO

        watch = poll()
        watch.register(requests_fd, 0)
        arrived = poll()
        arrived.register(requests_fd, POLLIN)
        # Behind a container's engine it is a pipe, not the host's own socket. An engine that cannot pass on what the
        # host sent does not notice that the host has gone.
        piped = S_ISFIFO(os.fstat(requests_fd).st_mode)
        while True:
            # A poll under way keeps a descriptor open that user code has closed: the host learns of it only if the
            # poll ends now and then.
            for _, event in watch.poll(500 if piped else 2000):
                os._exit(70 if event & POLLNVAL else 0)
            if piped:
                wire.take_in(arrived)
    except ImportError:
        pass


def offer_bridge_module():
    """`from snakepit_bridge import tool`, for adapters."""

    def tool(function=None, *, name=None):
        """Marks a function as a tool of its adapter, under its own name or another one."""

        def mark(function):
            function.__snakepit_tool__ = name or function.__name__
            return function

        return mark if function is None else mark(function)

    module = type(sys)("snakepit_bridge", "What an adapter may import from its worker.")
    module.tool = tool
    sys.modules["snakepit_bridge"] = module


def embed(name, path, text):
    """Makes one module importable whose source came with the introduction."""
    from importlib.machinery import ModuleSpec, SourceFileLoader

    data = text.encode()

    class Embedded(SourceFileLoader):
        """Its file is on no disk: the import, tracebacks and `inspect` ask for it here."""

        def get_data(self, path):
            return data

        def path_stats(self, path):
            raise OSError("no compiled form is kept")

        def find_spec(self, fullname, path=None, target=None):
            if fullname != name:
                return None
            spec = ModuleSpec(name, self, origin=self.path)
            # Sets `__file__`.
            spec.has_location = True
            return spec

    # In angle brackets alone, `linecache` would not ask.
    sys.meta_path.insert(0, Embedded(name, "<embedded>/" + path))


def main():
    frame = wire.read()
    if frame is None:
        return
    config = decode(frame[2])
    # `-c` puts the working directory first, where any file could stand before an installed module.
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    sys.path[:0] = config["python_path"]
    sys.argv = ["snakepit-worker"]
    # A print appears at once, line by line, on the host's side.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    # Before user code: a module that hangs while it is imported must not outlive the host either.
    _thread.start_new_thread(leave_with_the_host, ())
    offer_bridge_module()
    worker = Worker(config)
    try:
        embedded = config["embedded"]
        if embedded is not None:
            embed(config["adapter"], embedded["path"], embedded["text"])
        if config["adapter"] is not None:
            worker.adopt(config["adapter"])
    except BaseException as error:
        wire.write(0, FAILED, describe(error))
        return
    wire.write(0, READY, encode({"tools": sorted(worker.tools)}))
    for _ in range(config["threads"] - 1):
        _thread.start_new_thread(worker.serve, ())
    worker.serve()


main()
