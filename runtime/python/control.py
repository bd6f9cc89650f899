"""What a worker has to hear while its tools run: the thread that listens to the host, and sees it go."""
from select import POLLIN, POLLNVAL, poll


def attend(worker, control, watched):
    """Reads what is not a request while tools run, and ends the process as soon as the host has gone."""
    watch = poll()
    watch.register(control.fd, POLLIN)
    if watched is not None:
        watch.register(watched, 0)
    while True:
        for rest in rests:
            rest()
        # A poll under way keeps a descriptor open that user code has closed: the host learns of it only if the
        # poll ends now and then.
        events = watch.poll(2000 if watched is not None else 500) if control.is_empty() else ((control.fd, 0),)
        for fd, event in events:
            if event & POLLNVAL:
                os._exit(70)
            if fd != control.fd:
                vanish()
        if not events:
            continue
        taken = control.read()
        if taken is None:
            break
        request, kind, text = taken
        if kind == CANCEL:
            part("interrupts")
            cancel(worker, request, decode(text))
        elif kind == CREDIT:
            flow = worker.flows.get(request)
            if flow is not None:
                flow.grant(decode(text))
        elif kind == HOST_REPLY or kind == HOST_ERROR:
            part("host_tools")
            host_answered(request, kind, text)
        elif kind == PING:
            try:
                write(frame(request, PONG, b"null"))
            except OSError:
                vanish()
        else:
            worker.deliver(taken)
    if watched is None and not is_busy(worker):
        # Behind an engine this is also how a worker is told that nothing follows.
        worker.deliver(None)
        if left.acquire(True, 5):
            return
    vanish()


def is_busy(worker):
    if worker.loop is not None:
        return bool(worker.loop.running)
    return any(slot.open or slot.stop is not None for slot in worker.slots)


def vanish():
    """The host has gone, and all that was started for it goes as well. Where the kernel sees to it, this comes too
    late; in a container nobody else would. A group whose number is 0 is led from outside of it."""
    if os.getpgrp() > 0:
        os.killpg(0, _signal.SIGKILL)
    os._exit(0)
