"""Values that one encoder of JSON may tell in another way than another one."""
import collections
import dataclasses
import datetime
import decimal
import enum
import sys
import uuid


class Colour(enum.Enum):
    RED = "red"


class Size(enum.IntEnum):
    LARGE = 3


class Kind(str, enum.Enum):
    PLAIN = "plain"


@dataclasses.dataclass
class Point:
    x: float
    _hidden: int = 1


class Shouting(dict):
    def items(self):
        return [(key.upper(), value) for key, value in super().items()]


class Opaque:
    pass


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def big():
    """Large enough that a few of it make whatever is quicker worth its import."""
    return [{"id": number, "x": number * 0.37, "name": "é %d" % number} for number in range(4000)]


def imported():
    return "orjson" in sys.modules


VALUES = {
    "none": None,
    "scalars": [True, False, None, 0, -1, 1.0, -0.0, 0.1, 1e16, 1e-7, 5e-324, 1.7976931348623157e308],
    "wide": [2 ** 63, 2 ** 64 - 1, 2 ** 64, -(2 ** 63) - 1, 10 ** 40],
    "texts": ["", "é", "\u2028", "\0\x1f\"\\/", "\U0001f40d", "null", "\x7f"],
    "surrogate": "a\ud800b",
    "order": {"z": 1, "a": 2, "": 3, "é": 4, "m": {"b": 1, "a": 2}},
    "keys": {1: "a", None: "b", True: "c", 1.5: "d"},
    "tuples": ((1, 2), (), [()]),
    "pair": collections.namedtuple("Pair", "left right")(1, None),
    "mappings": [collections.OrderedDict(b=1, a=2), Shouting(a=1), collections.Counter("aab")],
    "enums": [Colour.RED, Size.LARGE, Kind.PLAIN, {"kind": Kind.PLAIN}],
    "models": [Point(0.5), Point(2)],
    "moments": [
        datetime.datetime(2024, 2, 29, 12, 30, 0, 5, datetime.timezone.utc),
        datetime.datetime(2024, 2, 29),
        datetime.date(2024, 2, 29),
        datetime.time(12, 30),
        datetime.timedelta(seconds=1.5),
    ],
    "ids": [uuid.UUID(int=1), decimal.Decimal("0.10"), {3, 1, 2}],
    "deep": nested(400),
    "nan": [1.0, {"rate": float("nan")}],
    "infinite": float("-inf"),
    "opaque": {"items": [Opaque()]},
    "tuple_key": {(1, 2): 3},
    "bytes_inside": ["a", b"\0\xff"],
}


def names():
    return list(VALUES)


def value(name, padding=0):
    """Alone, or among so much that the quick way is taken."""
    return [VALUES[name], "x" * padding] if padding else VALUES[name]


def told(value, padding=""):
    """What arrived, as Python sees it."""
    return repr(value)
