"""An adapter that is compiled into the program."""
import inspect


def where():
    return [__name__, __file__]


def own_source():
    return inspect.getsource(where)


def fail():
    raise ValueError("told with its line")  # here


class Kept:
    """Found again by its module's name."""


def pickled():
    import pickle

    return type(pickle.loads(pickle.dumps(Kept()))).__name__
