"""The user's module: what it may import from its worker, and its tools."""


def adopt(worker, adapter, embedded):
    """Takes the tools of the user's module; false if that failed, of which the host was told."""
    try:
        worker.tools.update(tools_of(worker, adapter, embedded))
    except BaseException as error:
        part("faults")
        write(frame(0, FAILED, fault_of_start(error)))
        return False
    return True


def tools_of(worker, adapter, embedded):
    """Imports the user's module: its tools, or those of the class in it."""
    from importlib import import_module

    name, _, kind = adapter.partition(":")
    offer_bridge_module(worker)
    if embedded is not None:
        part("embedded")
        embed(name, embedded["path"], embedded["text"])
    module = import_module(name)
    if kind:
        part("classes")
        members = adopt_class(worker, module, kind)
    else:
        members = vars(module)
    return offered(members, name)


def offered(members, module):
    """The tools among them: those marked with `@tool`, else all public functions of this module."""
    functions = {
        key: value
        for key, value in members.items()
        if callable(value) and not isinstance(value, type) and not hasattr(value, "__snakepit_hook__")
    }
    marked = {value.__snakepit_tool__: value for value in functions.values() if hasattr(value, "__snakepit_tool__")}
    return marked or {
        key: value
        for key, value in functions.items()
        if not key.startswith("_") and getattr(value, "__module__", None) == module
    }


def offer_bridge_module(worker):
    """`from snakepit_bridge import tool`, for adapters."""

    def tool(function=None, *, name=None):
        """Marks a function as a tool of its adapter, under its own name or another one."""

        def mark(function):
            # That of a static or class method.
            inner = getattr(function, "__func__", function)
            inner.__snakepit_tool__ = name or inner.__name__
            return function

        return mark if function is None else mark(function)

    def missing(name):
        source = {"session": "sessions", "on_session_end": "sessions", "host": "host_tools", "HostError": "host_tools"}
        if name in source:
            part(source[name])
            return globals()[name] if name != "host" else Host(worker)
        raise AttributeError("`snakepit_bridge` has no `%s`" % name)

    module = type(sys)("snakepit_bridge", "What an adapter may import from its worker.")
    module.__getattr__ = missing
    module.tool = tool
    module.Cancelled = Cancelled
    Cancelled.__module__ = "snakepit_bridge"
    sys.modules["snakepit_bridge"] = module
