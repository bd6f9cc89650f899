"""Tools of the tests that return what JSON does not know. numpy and pydantic are looked for, not demanded."""
import collections
import dataclasses
import datetime
import decimal
import enum
import pathlib
import types
import uuid


class Colour(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


@dataclasses.dataclass
class Point:
    x: float
    at: datetime.date
    kind: dataclasses.InitVar[int] = 1
    made = 3


@dataclasses.dataclass
class Line:
    points: list
    colour: Colour = Colour.RED


Pair = collections.namedtuple("Pair", "left right")


class Opaque:
    pass


def standard():
    day = datetime.date(2024, 2, 29)
    zone = datetime.timezone(datetime.timedelta(hours=2))
    return {
        "line": Line([Point(0.5, day), Point(1.5, day)]),
        "pair": Pair(1, Colour.PAIR),
        "moment": datetime.datetime(2024, 2, 29, 12, 30, 0, 5, zone),
        "time": datetime.time(12, 30),
        "span": datetime.timedelta(minutes=1, milliseconds=500),
        "sum": decimal.Decimal("0.10"),
        "id": uuid.UUID(int=1),
        "path": pathlib.Path("a") / "b",
        "sets": [{3, 1, 2}, frozenset("a"), set()],
        "queue": collections.deque([1, 2]),
        "view": types.MappingProxyType({"a": (1, 2)}),
    }


def misplaced():
    return {"items": [1, {"a b": None}, [Line([Opaque()])]]}


def model():
    return {"items": [0, 1, 2, {"model": Opaque()}]}


def not_a_number():
    return [1.0, {"rate": float("nan")}]


def keys():
    return {"map": {(1, 2): 3}}


def alone():
    return Opaque()


def cycle():
    line = Line([])
    line.points.append(line)
    return line


def deep():
    value = []
    for _ in range(100000):
        value = [value]
    return value


def hostile_form():
    class Broken(Line):
        @property
        def colour(self):
            raise ValueError("no colour")

        @colour.setter
        def colour(self, value):
            pass

    return [Broken([])]


def many():
    day = datetime.date(2024, 1, 1)
    return [Point(float(n), day) for n in range(2000)]


def numbers():
    import numpy

    return {
        "scalars": [numpy.float32(0.5), numpy.int64(-3), numpy.bool_(True), numpy.uint8(200), numpy.float64(1.5)],
        "moment": numpy.datetime64("2024-02-29T12:30:00"),
        "array": numpy.arange(6, dtype=numpy.int32).reshape(2, 3),
        "turned": numpy.arange(6, dtype=">f8").reshape(2, 3).T,
        "point": numpy.array(2.5),
        "empty": numpy.zeros((0, 3), numpy.float16),
        "waves": numpy.array([1 + 2j], numpy.complex64),
    }


def described(array):
    import numpy

    array[0] = 7
    return [type(array).__name__, str(array.dtype), list(array.shape), int(numpy.asarray(array).sum())]


def objects():
    import numpy

    return [numpy.array([Opaque()], dtype=object)]


def models():
    import pydantic

    class Inner(pydantic.BaseModel):
        day: datetime.date
        colour: Colour

    class Outer(pydantic.BaseModel):
        inner: Inner
        names: set

    return [Outer(inner=Inner(day=datetime.date(2024, 2, 29), colour=Colour.RED), names={"a"})]


def imported(names):
    import sys

    return [name for name in names if name in sys.modules]


def asked_limit(name):
    from snakepit_bridge import host

    return host.limit(name)


def thirds():
    return [number * 0.37 for number in range(2000)]
