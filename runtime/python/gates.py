"""A wait of a thread, or of a task on an event loop, that ends when another thread says so."""


def make_gate():
    """What waits, and what ends the wait; the second may come first, and may come twice."""
    gate = _thread.allocate_lock()
    gate.acquire()

    def go_on():
        try:
            gate.release()
        except RuntimeError:
            # What was waited for and an interrupt came at the same time.
            pass

    return gate.acquire, go_on


def make_async_gate(loop):
    """The same on an event loop: what is awaited there, and what ends the wait from any thread."""
    done = loop.create_future()

    def settle():
        if not done.done():
            done.set_result(None)

    def go_on():
        try:
            loop.call_soon_threadsafe(settle)
        except RuntimeError:
            # The loop was closed meanwhile.
            pass

    return done, go_on
