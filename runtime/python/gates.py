"""A wait of a thread that ends when another one says so."""


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
