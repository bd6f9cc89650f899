"""How a request that nobody waits for any more is made to stop."""


def cancel(worker, request, place):
    """Nobody waits any more for the request, the `place`th that was sent to this worker."""
    if worker.loop is not None:
        worker.loop.cancel(request, place)
        return
    # Noted first: whoever takes it now sees it, unless it was taken already, and then its slot tells.
    worker.cancelled.add(request)
    if place <= worker.taken:
        worker.cancelled.discard(request)
        strike_in(worker.slots, request)


def strike_in(slots, request):
    """Interrupts the request in the slot that runs it; whether one does."""
    found = [slot for slot in slots if slot.request == request]
    for slot in found:
        strike(slot, request)
    return bool(found)


def strike(slot, request):
    """Interrupts the request if it still runs. Called by another thread."""
    slot.cancelled = slot.target = request
    stop = slot.stop
    if stop is not None:
        stop()
    elif slot.lock is None:
        # A system call that blocks ends at a signal. This one is ignored by whoever does not expect it.
        _signal.pthread_kill(slot.thread, _signal.SIGURG)
    else:
        with slot.lock:
            if slot.open and slot.request == request == slot.target:
                slot.target = None
                slot.struck = raise_in(slot.thread, Cancelled)


def raise_in(thread, exception):
    """Raises an exception in a thread at its next step, or takes one back that was not raised yet."""
    try:
        from ctypes import c_ulong, py_object, pythonapi

        raised = None if exception is None else py_object(exception)
        return bool(pythonapi.PyThreadState_SetAsyncExc(c_ulong(thread), raised))
    except (ImportError, AttributeError):
        # Such a Python cannot be made to stop: the host ends the worker.
        return False
