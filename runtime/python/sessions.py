"""What the calls of a session share in this worker."""
from _collections_abc import MutableMapping
from contextvars import ContextVar

current = ContextVar("snakepit_session", default=None)
stores = {}
hooks = []


class Store(dict):
    """What one session holds in this worker."""

    __slots__ = ("id",)

    def __init__(self, id):
        self.id = id


def enter_session(slot, id):
    """The request belongs to a session; a slot leaves it when the request is answered."""
    if slot is not None:
        slot.in_session = True
    store = stores.get(id)
    if store is None:
        store = stores.setdefault(id, Store(id))
    current.set(store)


def leave_session():
    current.set(None)


def end_session(worker, slot, id, why):
    store = stores.pop(id, None)
    if store is None:
        # Its calls were cancelled before they began.
        return REPLY, b"null"
    slot.in_session = True
    current.set(store)
    fault = None
    for hook in hooks:
        try:
            value = hook(store, why)
            if type(value) is Coroutine:
                finish(worker, slot, value)
        except Exception as error:
            fault = fault or error
    if fault is not None:
        raise fault
    return REPLY, b"null"


def on_session_end(hook):
    """Has `hook(session, why)` called when a session is over; `why` is `ended`, `expired` or `replaced`
    (the worker has served enough)."""
    hook.__snakepit_hook__ = True
    hooks.append(hook)
    return hook


class CurrentSession(MutableMapping):
    """The store of the session that the running call belongs to."""

    @property
    def store(self):
        store = current.get()
        if store is None:
            raise RuntimeError("this call belongs to no session: call it with `pool.session(id).execute`")
        return store

    @property
    def id(self):
        return self.store.id

    @property
    def active(self):
        """Whether the running call belongs to a session."""
        return current.get() is not None

    def __getitem__(self, key):
        return self.store[key]

    def __setitem__(self, key, value):
        self.store[key] = value

    def __delitem__(self, key):
        del self.store[key]

    def __iter__(self):
        return iter(self.store)

    def __len__(self):
        return len(self.store)

    def __repr__(self):
        return "<session %r: %r>" % (self.id, dict(self.store)) if self.active else "<no session>"


session = CurrentSession()
