"""An adapter that is a class: one instance in each worker, whose methods are the tools."""
# What a worker calls itself; never a tool.
LIFE = ("setup", "initialize", "cleanup")


class Failed(Exception):
    """A step of the start that raised something: its name; the cause is the exception."""


def adopt_class(worker, module, name):
    """Makes the instance and starts it: its tools."""
    kind = getattr(module, name)
    if not isinstance(kind, type):
        raise TypeError("`%s` of `%s` is no class" % (name, module.__name__))
    instance = step("__init__", kind)
    methods = methods_of(instance, kind)
    setup = getattr(instance, "setup", None)
    if setup is not None:
        step("setup", live, worker, setup, *[worker.number][:takes(setup)])
    initialize = getattr(instance, "initialize", None)
    if initialize is not None:
        step("initialize", live, worker, initialize)
    worker.cleanup = getattr(instance, "cleanup", None)
    return methods


def step(name, function, *arguments):
    try:
        return function(*arguments)
    except BaseException as error:
        raise Failed(name) from error


def takes(method):
    """How many arguments it may be given by place, as far as that is known."""
    code = getattr(method, "__code__", None)
    if code is None or code.co_flags & 4:
        return 1
    return code.co_argcount - (getattr(method, "__self__", None) is not None)


def methods_of(instance, kind):
    """Its methods by name, without looking into properties. Hooks of sessions are bound to it."""
    written = {}
    for base in kind.__mro__[-2::-1]:
        written.update(vars(base))
    methods = {
        key: getattr(instance, key)
        for key, value in written.items()
        if key not in LIFE and key[:2] != "__" and callable(getattr(value, "__func__", value))
    }
    hooks = globals().get("hooks", [])
    for method in methods.values():
        function = getattr(method, "__func__", None)
        if function in hooks:
            hooks[hooks.index(function)] = method
    return methods


def live(worker, function, *arguments):
    """Calls what may be an `async def` method, while no request runs."""
    value = function(*arguments)
    if type(value) is not Coroutine:
        return
    if worker.loop is not None:
        worker.loop.loop.run_until_complete(value)
    else:
        finish(worker, worker.slots[0], value)


def clean_up(worker):
    """Nothing follows: the last that the adapter hears. What it raises keeps nobody."""
    try:
        live(worker, worker.cleanup)
    except BaseException:
        import traceback

        traceback.print_exc()
