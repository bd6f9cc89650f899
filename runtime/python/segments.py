"""Large buffers through memory files, which both sides use again and again: as in the host's `segment.rs`."""
from fcntl import fcntl
from mmap import ACCESS_READ, MAP_ANONYMOUS, MAP_PRIVATE, mmap

STEP = 1 << 20
PAGE = 4096
# Files of each side that are kept, though nobody needs them now, and for how many seconds.
MOST_KEPT = 4
REST = 2

# Files of the host as they are mapped here, by their numbers in the system, those used last at the end.
known = {}
# Files of this worker.
segments = []
lending = _thread.allocate_lock()
used = 0


def advise(memory, advice):
    """Asks the system for something; that it does not know it is no fault."""
    try:
        memory.madvise(advice)
    except (OSError, ValueError):
        pass


def copy_from_host(file, length, as_bytes):
    """What lies in a file of the host, which it may use again when this request is answered."""
    global used
    used = monotonic()
    number = os.fstat(file).st_ino
    # While it is mapped, no other file has its number.
    memory = known.pop(number, None)
    if memory is None:
        memory = mmap(file, 0, access=ACCESS_READ)
    while len(known) >= MOST_KEPT:
        del known[next(iter(known))]
    known[number] = memory
    with memoryview(memory) as view, view[:length] as there:
        if as_bytes:
            return bytes(there)
        own = mmap(-1, length, MAP_PRIVATE | MAP_ANONYMOUS)
        # MADV_HUGEPAGE: large pages are met several times as fast.
        advise(own, 14)
        own[:] = there
    return memoryview(own)


class Segment:
    """A memory file of this worker. Its last byte is 1 while it holds what the host has not taken yet."""

    def __init__(self, memory):
        self.room = -(-len(memory) // STEP) * STEP
        self.fd = os.memfd_create("snakepit", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.fd, self.room + PAGE)
            # Written and not copied: so its pages are not emptied first, and nobody has to meet them yet.
            at = 0
            while at < len(memory):
                at += os.pwrite(self.fd, memory[at:], at)
            # F_ADD_SEALS: seal, shrink, grow.
            fcntl(self.fd, 1033, 7)
            self.map = mmap(self.fd, self.room + PAGE)
        except BaseException:
            os.close(self.fd)
            raise
        self.met = False
        self.map[-1] = 1

    def fill(self, memory):
        if not self.met:
            # MADV_POPULATE_WRITE: all pages at once.
            advise(self.map, 23)
            self.met = True
        self.map[:len(memory)] = memory

    def __del__(self, close=os.close):
        if hasattr(self, "met"):
            close(self.fd)


class Loan:
    """A segment on its way to the host."""

    __slots__ = ("segment", "sent")

    def __init__(self, segment):
        self.segment = segment
        self.sent = False

    def __del__(self):
        if not self.sent:
            self.segment.map[-1] = 0


def lend_to_host(memory):
    global used
    used = monotonic()
    with lending:
        free = [segment for segment in segments if not segment.map[-1]]
        fit = min((segment for segment in free if segment.room >= len(memory)), key=lambda one: one.room, default=None)
        if fit is not None:
            fit.map[-1] = 1
        elif len(free) >= MOST_KEPT:
            segments.remove(free[0])
    if fit is None:
        loan = Loan(Segment(memory))
        segments.append(loan.segment)
    else:
        loan = Loan(fit)
        fit.fill(memory)
    return loan


def let_go_of_segments():
    """Those that nobody has needed for a while."""
    if (known or segments) and monotonic() - used > REST:
        known.clear()
        with lending:
            # The host has what it needs mapped for itself.
            segments.clear()


rests.append(let_go_of_segments)
