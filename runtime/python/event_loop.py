"""The async profile: `async def` tools side by side on one event loop, and plain functions in threads beside it."""
import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor


class EventLoop:
    def __init__(self, worker, concurrency):
        self.worker = worker
        self.concurrency = concurrency
        # The worker's own tools, which an adapter may replace: they are too short for a thread.
        self.own = tuple(worker.tools.values())
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.threads = ThreadPoolExecutor(concurrency, "snakepit-tool")
        self.slots = {}
        # Each request that runs, with its task; None for one in a thread.
        self.running = {}
        self.stopped = set()
        # Taken, and not begun for want of room.
        self.waiting = deque()
        self.replies = []

    def run(self, direct):
        if direct:
            self.loop.add_reader(requests_fd, self.arrived)
        while True:
            try:
                return self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                # asyncio lets these out after they have become the outcome of the tool that raised them.
                pass

    def arrived(self):
        inbox = self.worker.inbox
        while True:
            taken = inbox.read()
            self.accept(taken)
            if taken is None or inbox.is_empty():
                return

    def deliver(self, taken):
        """From another thread."""
        self.loop.call_soon_threadsafe(self.accept, taken)

    def accept(self, taken):
        if taken is None:
            self.loop.remove_reader(requests_fd)
            self.loop.stop()
            return
        self.worker.taken += 1
        self.waiting.append(taken)
        self.begin()

    def begin(self):
        """Begins what there is room for. A reply that is not written yet takes up its room: what the host has no
        reply of, beyond the room of the worker, has not begun."""
        while self.waiting and len(self.running) + len(self.replies) < self.concurrency:
            request, _, text = self.waiting.popleft()
            worker = self.worker
            if request in worker.cancelled:
                worker.cancelled.discard(request)
                self.reply(request, *failure(True, None))
                continue
            try:
                self.start(request, text)
            except BaseException as error:
                self.reply(request, *failure(False, error))

    def start(self, request, text):
        worker = self.worker
        asked = decode_value(text)
        tool = worker.tools.get(asked[0])
        more = asked[2] if len(asked) > 2 else NOTHING
        if "end" not in more:
            if tool is None:
                part("faults")
                self.reply(request, *unknown_tool(worker))
                return
            if is_async(tool):
                self.start_async(request, tool, asked[1], more)
                return
            if not more and any(tool is own for own in self.own):
                self.reply(request, *outcome(call(tool, asked[1])))
                return
        self.running[request] = None
        future = self.loop.run_in_executor(self.threads, self.run_plain, request, text)
        future.add_done_callback(lambda future: self.done_plain(request, future))

    def start_async(self, request, tool, arguments, more):
        session = more.get("session")
        if session is not None:
            part("sessions")
            # The task has a copy of what holds now.
            enter_session(None, session)
        try:
            value = call(tool, arguments)
            if "credit" in more:
                value = self.stream(request, value, more["credit"])
            elif type(value) is not Coroutine:
                self.reply(request, *outcome(value))
                return
            task = self.loop.create_task(value)
        finally:
            if session is not None:
                leave_session()
        self.running[request] = task
        task.add_done_callback(lambda task: self.done(request, task))

    def done(self, request, task):
        del self.running[request]
        cancelled = request in self.stopped
        self.stopped.discard(request)
        try:
            value = task.result()
            answer = value if type(value) is Answer else outcome(value)
        except BaseException as error:
            answer = failure(cancelled, error)
        self.reply(request, *answer)

    async def stream(self, request, value, credit):
        part("streams")
        flow = self.worker.flows[request] = Flow(credit)
        try:
            if type(value) is Coroutine:
                value = await value
            if hasattr(value, "__anext__"):
                return Answer(await drive_async(value, flow, lambda body: self.write(request, ITEM, body)))
            return Answer(no_stream(value))
        finally:
            del self.worker.flows[request]

    def run_plain(self, request, text):
        thread = _thread.get_ident()
        slot = self.slots.get(thread)
        if slot is None:
            slot = self.slots[thread] = Slot()
        slot.request = request
        return self.worker.answer(slot, request, text)

    def done_plain(self, request, future):
        del self.running[request]
        self.worker.cancelled.discard(request)
        self.write(request, *future.result())

    def finish(self, slot, coroutine):
        """A plain function gave a coroutine: it belongs on the loop, not on its thread."""
        slot.leave()
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        slot.stop = future.cancel
        if slot.target is not None and slot.target == slot.request:
            future.cancel()
        try:
            return future.result()
        finally:
            slot.stop = None

    def reply(self, request, kind, body):
        self.worker.requests += 1
        if kind == ERROR:
            self.worker.errors += 1
        self.write(request, kind, body)

    def write(self, request, kind, body):
        if type(body) is bytes:
            self.replies.append(frame(request, kind, body))
        else:
            self.replies.append((request, kind, body))
        # All that end in one turn of the loop are written at once.
        if len(self.replies) == 1:
            self.loop.call_soon(self.flush)

    def flush(self):
        together = []
        try:
            for reply in self.replies:
                if type(reply) is bytes:
                    together.append(reply)
                else:
                    # Buffers are not copied only to be written with others.
                    write(b"".join(together))
                    together.clear()
                    send(*reply)
            write(b"".join(together))
        except OSError:
            self.loop.stop()
        self.replies.clear()
        self.begin()

    def cancel(self, request, place):
        """From another thread."""
        self.loop.call_soon_threadsafe(self.cancel_here, request, place)

    def cancel_here(self, request, place):
        if request in self.running:
            task = self.running[request]
            if task is not None:
                self.stopped.add(request)
                task.cancel()
                return
            # Noted first: a thread that begins it now sees it.
            self.worker.cancelled.add(request)
            part("interrupts")
            strike_in(list(self.slots.values()), request)
        elif place > self.worker.taken or any(taken[0] == request for taken in self.waiting):
            self.worker.cancelled.add(request)


NOTHING = {}


class Answer(tuple):
    """The kind of a reply and its JSON."""


def is_async(tool):
    """Whether calling it only makes a coroutine or an asynchronous generator."""
    while hasattr(tool, "func"):
        tool = tool.func
    flags = getattr(getattr(tool, "__code__", None), "co_flags", 0)
    return bool(flags & 0x280)
