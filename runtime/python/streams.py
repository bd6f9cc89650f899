"""Tools whose values are streams: each item is sent when the host has room for it."""


class Flow:
    """How many more items of one stream the host has room for."""

    def __init__(self, credit):
        self.credit = credit
        self.lock = _thread.allocate_lock()
        self.waiter = None

    def grant(self, count):
        """The host's reader has come on. Called by another thread."""
        with self.lock:
            self.credit += count
            waiter, self.waiter = self.waiter, None
        if waiter is not None:
            waiter()

    def take(self, waiter):
        """Takes room for an item. If there is none it is false, and `waiter` is called when there is."""
        with self.lock:
            if self.credit > 0:
                self.credit -= 1
                return True
            self.waiter = waiter
            return False

    def wait(self, slot):
        """Takes room for an item as soon as there is some; an interrupt ends the wait as well."""
        part("gates")
        wait, go_on = make_gate()
        slot.stop = go_on
        try:
            while slot.target != slot.request and not self.take(go_on):
                wait()
        finally:
            slot.stop = None

    async def wait_async(self):
        from asyncio import get_running_loop

        part("gates")
        while True:
            room, go_on = make_async_gate(get_running_loop())
            if self.take(go_on):
                return
            await room


def stream(worker, slot, value, credit):
    """Sends the items of a tool's value; what comes of it is the last reply."""
    request = slot.request
    flow = worker.flows[request] = Flow(credit)

    def emit(body):
        worker.send(request, ITEM, body)

    try:
        if hasattr(value, "__anext__"):
            return finish(worker, slot, drive_async(value, flow, emit))
        if hasattr(value, "__next__"):
            return drive(slot, value, flow, emit)
        return no_stream(value)
    finally:
        del worker.flows[request]


def drive(slot, iterator, flow, emit):
    try:
        while True:
            slot.leave()
            flow.wait(slot)
            slot.enter()
            try:
                item = next(iterator)
            except StopIteration:
                return REPLY, b"null"
            # A frame that is begun has to be brought to its end.
            slot.leave()
            kind, body = outcome(item)
            if kind == ERROR:
                return kind, body
            emit(body)
            item = body = None
    finally:
        slot.leave()
        close = getattr(iterator, "close", None)
        if close is not None:
            close()


async def drive_async(iterator, flow, emit):
    try:
        while True:
            await flow.wait_async()
            try:
                item = await iterator.__anext__()
            except StopAsyncIteration:
                return REPLY, b"null"
            kind, body = outcome(item)
            if kind == ERROR:
                return kind, body
            emit(body)
            item = body = None
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


def no_stream(value):
    return ERROR, encode({"kind": "no_stream", "found": type(value).__name__})
