"""Values that JSON does not know: what they become, and what is said of those that become nothing.

No module is imported for them. Whoever has a value of a module's type has imported the module.
"""
from _collections_abc import Mapping


def ordered(value):
    try:
        return sorted(value)
    except TypeError:
        return list(value)


def model(value):
    # The first is the second version of pydantic.
    return value.model_dump() if hasattr(value, "model_dump") else value.dict()


def scalar(value):
    plain = value.item()
    if type(plain) is type(value):
        # A number that Python has no type for, such as one of 16 bytes.
        return float(plain)
    return plain


FORMS = {
    ("enum", "Enum"): lambda value: value.value,
    ("datetime", "datetime"): lambda value: value.isoformat(),
    ("datetime", "date"): lambda value: value.isoformat(),
    ("datetime", "time"): lambda value: value.isoformat(),
    ("datetime", "timedelta"): lambda value: value.total_seconds(),
    ("decimal", "Decimal"): str,
    ("uuid", "UUID"): str,
    ("builtins", "set"): ordered,
    ("builtins", "frozenset"): ordered,
    ("collections", "deque"): list,
    ("pydantic.main", "BaseModel"): model,
    ("numpy", "generic"): scalar,
}


def fields(value):
    return {field.name: getattr(value, field.name) for field in sys.modules["dataclasses"].fields(value)}


def form_of(kind):
    """How values of this type are told, or None."""
    for base in kind.__mro__:
        form = FORMS.get((base.__module__, base.__qualname__))
        if form is not None:
            return form
    if hasattr(kind, "__dataclass_fields__"):
        return fields
    if hasattr(kind, "__fspath__"):
        return os.fspath
    if issubclass(kind, Mapping):
        return dict
    return None


forms = {}


class Form:
    """What the encoder calls for a value that it does not know; the buffers that it met."""

    def __init__(self):
        self.found = []

    def __call__(self, value):
        kind = type(value)
        if kind not in forms:
            forms[kind] = form_of(kind)
        form = forms[kind]
        if form is not None:
            return form(value)
        part("buffers")
        try:
            buffer = lay_out(value)
        except Unencodable:
            if not lenient:
                raise
            buffer = None
        if buffer is not None:
            self.found.append(buffer)
            return MARK + str(len(self.found) - 1)
        part("faults")
        if lenient:
            return {"__ffi_unserializable__": True, "__type__": name_of(kind)}
        raise Unencodable("a value of type `%s` has no JSON form" % name_of(kind))


def encode_any(value):
    """JSON, with buffers beside it if it holds any."""
    form = Form()
    try:
        text = encoder(form)(value)
    except RecursionError as error:
        path = cycle(value)
        if path is None:
            raise Unencodable("it is nested too deeply, or holds itself (%s): return a flatter value" % error) from None
        raise Unencodable("`%s` leads back to a value that holds it: leave it out, JSON has no references" % path) from None
    except Exception as error:
        path, error = locate(value, error)
        if path == "$":
            raise error from None
        raise Unencodable("`%s`: %s" % (path, error)) from None
    return pack(text, form.found) if form.found else text


def locate(value, error):
    """Where in a value the encoder failed: the innermost one that fails by itself, and why."""
    path = "$"
    while True:
        for step, child in children(value):
            if step is None:
                return path, child
            try:
                encoder(Form())(child)
            except RecursionError:
                return path + step, error
            except Exception as inner:
                path += step
                value, error = child, inner
                break
        else:
            return path, error


def cycle(value):
    """The path at which a value leads back to one that holds it; None where none is found."""
    walk, path, held = [children(value)], ["$"], [value]
    # What was left is kept, so that nothing else gets its identity.
    inside, left = {id(value)}, {}
    # A value may make what it holds as it is asked for it, without an end.
    for _ in range(200000):
        for step, child in walk[-1]:
            if step is None or child is None or isinstance(child, (str, int, float)) or id(child) in left:
                continue
            if id(child) in inside:
                return "".join(path) + step
            walk.append(children(child))
            path.append(step)
            held.append(child)
            inside.add(id(child))
            break
        else:
            walk.pop()
            path.pop()
            child = held.pop()
            inside.discard(id(child))
            left[id(child)] = child
            if not walk:
                break
    return None


def children(value):
    """What a value holds, each with its step of the path; a key that will do is a step without one."""
    if isinstance(value, dict):
        for key, child in value.items():
            if isinstance(key, str):
                yield ".%s" % key if key.isidentifier() else "[%s]" % ascii(key), child
            elif key is None or isinstance(key, (int, float)):
                yield "[%r]" % (key,), child
            else:
                part("faults")
                yield None, Unencodable("a key of type `%s` has no JSON form" % name_of(type(key)))
    elif isinstance(value, (list, tuple)):
        for index, child in enumerate(value):
            yield "[%d]" % index, child
    elif not isinstance(value, (str, int, float)) and value is not None:
        try:
            whole = Form()(value)
        except Exception:
            return
        if isinstance(whole, (dict, list, tuple)):
            yield from children(whole)
