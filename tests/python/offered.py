"""Tools of every shape, which tell themselves what they look like."""
import functools
import inspect
import sys


def plain(a, b=1, *rest, c, d='x', **more):
    """Says a word.

    And more of them."""


def annotated(a: int, /, b: str = 'é', *, c: float = 0.5) -> bool:
    return True


async def later(value: int = 3):
    return value


def numbers(count):
    for number in range(count):
        yield number


async def events(*, limit=10):
    yield limit


@functools.lru_cache(maxsize=None)
def cached(key):
    return key


if sys.version_info >= (3,):

    def modern(x):
        return x

else:

    def ancient(x):
        return x


try:
    from nowhere import fallback
except ImportError:

    def fallback(path):
        return path


def looks():
    """What Python itself makes of the tools of this module."""
    return {
        name: [
            str(inspect.signature(tool)),
            inspect.iscoroutinefunction(tool) or inspect.isasyncgenfunction(tool),
            inspect.isgeneratorfunction(tool) or inspect.isasyncgenfunction(tool),
        ]
        for name, tool in list(globals().items())
        if inspect.isroutine(tool) or hasattr(tool, "__wrapped__")
    }


def _private():
    pass


class Model:
    def method(self):
        yield
