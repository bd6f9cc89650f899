"""Adapters that are classes."""
import asyncio
import os
import threading

from snakepit_bridge import on_session_end, session, tool


class Base:
    def shared(self):
        """Of the base."""
        return "base"

    def told(self):
        return "base"

    shadowed = shared


class Model(Base):
    """Plain methods."""

    def __init__(self):
        self.steps = ["made"]
        self.ended = []
        self.path = None

    def setup(self, worker):
        self.steps.append("setup %d" % worker)

    def initialize(self):
        self.steps.append("initialized")

    def cleanup(self):
        if self.path is not None:
            with open(self.path, "a") as file:
                file.write("cleaned\n")

    def clean_into(self, path):
        self.path = path

    def told(self):
        return self.steps

    def add(self, left: int, right: int = 1) -> int:
        """Adds."""
        self.steps.append("add")
        return left + right

    @staticmethod
    def twice(number):
        return 2 * number

    @classmethod
    def named(cls):
        return cls.__name__

    async def later(self, number):
        await asyncio.sleep(0)
        return number

    def count(self, most):
        yield from range(most)

    def pid(self):
        return os.getpid()

    def crash(self):
        os._exit(3)

    def remember(self, value):
        session["value"] = value

    def forgotten(self):
        return self.ended

    @on_session_end
    def forget(self, store, why):
        self.ended.append([store.id, store["value"], why])

    @property
    def explosive(self):
        raise AssertionError("nobody asks for it")

    shadowed = None

    class Inner:
        pass

    def _private(self):
        pass


class Marked:
    """Only what is marked; the life is asynchronous."""

    async def setup(self):
        await asyncio.sleep(0)
        self.lock = asyncio.Lock()
        self.loop = asyncio.get_running_loop()

    async def initialize(self):
        await asyncio.sleep(0)
        self.thread = threading.get_ident()

    async def cleanup(self):
        await asyncio.sleep(0)
        same = asyncio.get_running_loop() is self.loop
        print("cleaned up, %s" % same)
        raise RuntimeError("cleanup fails")

    @tool(name="answer")
    async def _answer(self):
        async with self.lock:
            return asyncio.get_running_loop() is self.loop

    @tool
    @staticmethod
    def fixed():
        return 7

    def unmarked(self):
        pass


class Late:
    def initialize(self):
        self.load()

    def load(self):
        raise LookupError("no weights")


class Greedy:
    def __init__(self, path):
        self.path = path


def Function():
    pass
