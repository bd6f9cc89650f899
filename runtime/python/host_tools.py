"""The functions of the host's program, callable from any thread and from any event loop."""


class HostError(Exception):
    """A function of the host failed; its text says why."""


class Asked:
    """A call that waits for the host's answer."""

    def __init__(self, wake):
        self.wake = wake
        self.kind = self.text = None

    def value(self):
        if self.kind == HOST_ERROR:
            raise HostError(decode(self.text))
        return decode_value(self.text)


# By number; what was interrupted is not waited for any more.
asked_host = {}
counting = _thread.allocate_lock()
count_of_calls = 0


def host_answered(call, kind, text):
    """Called by the thread that listens to the host."""
    asked = asked_host.pop(call, None)
    if asked is not None:
        asked.text = text
        asked.kind = kind
        asked.wake()


def host_call(worker, name, arguments, named):
    """A call as its number and what is sent."""
    global count_of_calls
    if not worker.ready:
        raise HostError("the host can be asked when the worker is ready, not while its adapter is imported")
    if named:
        if arguments:
            raise TypeError("a function of the host takes positional or keyword arguments, not both")
        value = named
    elif len(arguments) == 1:
        value = arguments[0]
    else:
        value = list(arguments) or None
    body = encode_value([name, value])
    with counting:
        count_of_calls = call = (count_of_calls + 1) & 0xffffffff
    return call, body


def slot_here(worker):
    """What this thread runs, if it is one of those that run requests."""
    thread = _thread.get_ident()
    if worker.loop is not None:
        return worker.loop.slots.get(thread)
    for slot in worker.slots:
        if slot.thread == thread:
            return slot
    return None


def ask_host(worker, name, arguments, named):
    call, body = host_call(worker, name, arguments, named)
    part("gates")
    wait, go_on = make_gate()
    asked = Asked(go_on)
    slot = slot_here(worker)
    inside = slot is not None and slot.open
    if inside:
        # A frame that is begun has to be brought to its end, and an interrupt reaches no thread that waits.
        slot.leave()
        slot.stop = go_on
    try:
        asked_host[call] = asked
        worker.send(call, HOST_CALL, body)
        while asked.kind is None and not (inside and slot.target == slot.request):
            wait()
    finally:
        asked_host.pop(call, None)
        if inside:
            slot.stop = None
    if inside:
        slot.enter()
    return asked.value()


async def ask_host_later(worker, name, arguments, named):
    from asyncio import get_running_loop

    call, body = host_call(worker, name, arguments, named)
    part("gates")
    done, wake = make_async_gate(get_running_loop())
    asked = asked_host[call] = Asked(wake)
    try:
        worker.send(call, HOST_CALL, body)
        await done
    finally:
        asked_host.pop(call, None)
    return asked.value()


def runs_a_loop():
    """Whether an event loop runs in this thread: it must not wait, and is given something to await."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None


class Host:
    """`host.name(...)` calls the host's function `name`; on an event loop, `await host.name(...)` does."""

    def __init__(self, worker):
        self.__worker = worker

    def list(self):
        """The names of the host's functions, sorted."""
        return list(self.__worker.host_tools)

    def __getattr__(self, name):
        worker = self.__worker
        if name not in worker.host_tools:
            known = ", ".join(worker.host_tools) or "none"
            raise AttributeError("the host has no tool `%s`; it has %s" % (name, known))

        def tool(*arguments, **named):
            ask = ask_host_later if runs_a_loop() else ask_host
            return ask(worker, name, arguments, named)

        tool.__name__ = tool.__qualname__ = name
        return tool

    def __dir__(self):
        return ["list"] + self.__worker.host_tools

    def __repr__(self):
        return "<the host's tools: %s>" % (", ".join(self.__worker.host_tools) or "none")


HostError.__module__ = "snakepit_bridge"
