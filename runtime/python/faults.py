"""What went wrong, as data."""


def fault(error, kind):
    """An exception as data; what an exception's own methods raise is not allowed to hide it."""
    import traceback

    try:
        message = str(error)
    except BaseException as inner:
        message = "<its __str__ raised %s>" % type(inner).__name__
    try:
        trace = error.__traceback__
        # The frames of this file say nothing to the user.
        while trace is not None and trace.tb_frame.f_code.co_filename == "<snakepit bridge>":
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, trace))
    except BaseException:
        text = ""
    texts = {"type": name_of(type(error)), "message": message[:65536], "traceback": text[-262144:]}
    # A file name that is no UTF-8 is text with lone surrogates, which nobody else takes for text.
    told = {key: value.encode("utf-8", "backslashreplace").decode() for key, value in texts.items()}
    told["kind"] = kind
    return encode(told)


def name_of(kind):
    """A type as Python's own messages have it."""
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return "%s.%s" % (kind.__module__, kind.__qualname__)


def unsendable(value, error):
    """What a tool returned has no form in JSON."""
    if hasattr(value, "__next__") or hasattr(value, "__anext__"):
        return encode({"kind": "stream"})
    return fault(error, "encoding")


def unknown_tool(worker):
    return ERROR, encode({"kind": "unknown_tool", "tools": sorted(worker.tools)})


def fault_of_start(error):
    """What kept a worker from being ready: its import, or a step of an adapter that is a class."""
    failed = globals().get("Failed")
    if failed is not None and isinstance(error, failed):
        return fault(error.__cause__, str(error))
    return fault(error, "import")
