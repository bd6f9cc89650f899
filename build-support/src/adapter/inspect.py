# Finds a module as its worker will, and reads its source without running it. Python 3.8 and later; a script that asks
# for it stands below. The question is the first argument, the source of an embedded adapter the standard input.
import sys

loaded_before = dict(sys.modules)
if sys.path and sys.path[0] == "":
    del sys.path[0]
import ast
import json
import os
import warnings
from importlib import machinery, util

question = json.loads(sys.argv[1])
# As the bridge does.
sys.path[:0] = question["python_path"]
MOST_NAMES = 2000
# Characters of a line that a message shows.
MOST_SHOWN = 400


class Refused(Exception):
    """What is wrong, as data."""

    def __init__(self, kind, **more):
        self.look = dict(more, kind=kind)


def inspect_adapter():
    """What is behind the module's name."""
    warnings.simplefilter("ignore")
    module, embedded = question["module"], question["embedded"]
    facts = []
    try:
        if embedded is None:
            file, data = find(module, facts)
        else:
            # In front of all others, it would be everybody's module of this name.
            if is_standard(module) or module in loaded_before:
                raise Refused("taken")
            file, data = embedded, sys.stdin.buffer.read()
        tools = None if data is None else list_tools(*parse(file, data))
        look = {"kind": "found", "tools": tools}
    except Refused as refused:
        look = refused.look
    return {"look": look, "facts": facts, "hiding": hiding(question["python_path"])}


def is_standard(name):
    """Whether Python itself has a module of this name. Older Pythons do not know all of theirs."""
    known = getattr(sys, "stdlib_module_names", sys.builtin_module_names)
    return name in known or machinery.PathFinder.find_spec(name, [os.path.dirname(os.__file__)]) is not None


def is_own(spec):
    """Whether it is Python's own module that is found, and not one of the same name. `site-packages` may be below."""
    if spec is not None and spec.loader in (machinery.BuiltinImporter, machinery.FrozenImporter):
        return True
    if spec is None or not spec.origin:
        return False
    folder = os.path.dirname(spec.origin)
    if spec.submodule_search_locations is not None:
        folder = os.path.dirname(folder)
    library = os.path.realpath(os.path.dirname(os.__file__))
    return os.path.realpath(folder) in (library, os.path.join(library, "lib-dynload"))


def hiding(folders):
    """Files that are found before modules of Python itself; those that a worker has already are not hidden."""
    files = []
    for folder in folders:
        for name, entry in modules_in(folder):
            file = entry.path
            if entry.is_dir():
                file = os.path.join(file, "__init__.py")
            is_first = name not in loaded_before and name not in sys.builtin_module_names
            if is_first and os.path.isfile(file) and is_standard(name):
                files.append([file, name])
    return sorted(files)


def reply(answer):
    # Text with lone surrogates has no form that others accept.
    line = "snakepit-answer:" + json.dumps(answer, ensure_ascii=False) + "\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(line.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def note(path, facts):
    """Remembers what the answer depends on."""
    status = os.stat(path)
    modified = max(status.st_mtime_ns, 0)
    facts.append({"path": path, "length": status.st_size, "modified": modified})
    return status


def find(module, facts):
    """The source of a module, as its file and bytes; no bytes for one that is found, and is no Python source."""
    parts = module.split(".")
    folders = None
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        if depth > 1 and folders is None:
            raise Refused("missing", names=[])
        first = loaded_before.get(name)
        if first is not None and depth < len(parts):
            if depth == 1 and is_own(getattr(first, "__spec__", None)):
                raise Refused("standard")
            # What is below it is looked for in it, also by a worker.
            folders = list(getattr(first, "__path__", ())) or None
            continue
        # Modules of this script do not stand in for those that are looked for.
        before = sys.modules.pop(name, None) if name not in sys.builtin_module_names else None
        try:
            spec = util.find_spec(name)
        finally:
            if before is not None:
                sys.modules[name] = before
        if spec is None:
            raise Refused("missing", names=names_beside(name, folders))
        if first is not None and getattr(getattr(first, "__spec__", None), "origin", None) != spec.origin:
            raise Refused("taken")
        if spec.origin in ("frozen", "built-in") and name in names_beside(name, folders):
            # Python looks for these first: the one in the folder is never imported.
            raise Refused("taken")
        if depth == 1 and is_own(spec):
            raise Refused("standard")
        if spec.submodule_search_locations is None:
            folders = None
        elif depth < len(parts):
            folders = list(spec.submodule_search_locations)
            # A parent that is not run: what is below it is found in its folders.
            parent = type(sys)(name)
            parent.__path__ = folders
            sys.modules[name] = parent
            for folder in folders:
                if os.path.isdir(folder):
                    note(folder, facts)
    if spec.loader is None or (spec.origin is None and spec.submodule_search_locations is not None):
        raise Refused("namespace", folders=list(spec.submodule_search_locations or ()))
    archive = getattr(spec.loader, "archive", None)
    file = archive or (spec.origin if spec.has_location else None)
    if not isinstance(spec.loader, machinery.SourceFileLoader):
        if file is not None and os.path.isfile(file):
            note(file, facts)
        return file, None
    try:
        size = note(file, facts).st_size
        if size > question["most"]:
            raise Refused("too_large", file=file, bytes=size)
        with open(file, "rb") as source:
            return file, source.read()
    except OSError as error:
        raise Refused("unreadable", file=file, reason=error.strerror or str(error))


def names_beside(name, folders):
    """Modules that stand where this one was looked for."""
    parent, _, _ = name.rpartition(".")
    names = set()
    for folder in question["python_path"] if folders is None else folders:
        names.update(parent + "." + stem if parent else stem for stem, _ in modules_in(folder))
    return sorted(names)[:MOST_NAMES]


def modules_in(folder):
    """The modules of a folder, each with its name."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        stem, dot, _ = entry.name.partition(".")
        known = entry.name.endswith(tuple(machinery.all_suffixes())) if dot else entry.is_dir()
        if known and stem.isidentifier() and not stem.startswith("__"):
            yield stem, entry


def parse(file, data):
    """The syntax tree, and the lines that it refers to, as UTF-8."""
    try:
        text = util.decode_source(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused("unreadable", file=file, reason="line %d is no %s" % (line, error.encoding))
    except (SyntaxError, LookupError) as error:
        raise Refused("unreadable", file=file, reason=getattr(error, "msg", None) or str(error))
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise Refused("unreadable", file=file, reason="line %d has a NUL byte" % line)
    lines = text.split("\n")
    try:
        tree = compile(data, file, "exec", ast.PyCF_ONLY_AST, True)
        # What only shows behind the tree, such as a `return` outside a function. Nothing of it is run.
        compile(data, file, "exec", 0, True)
    except SyntaxError as error:
        import traceback

        number, column = error.lineno or 0, max(error.offset or 0, 0)
        if error.text is None and 0 < number <= len(lines):
            error.text = lines[number - 1] + "\n"
        if len(error.text or "") > MOST_SHOWN:
            cut = max(column - MOST_SHOWN // 2, 0)
            error.text = error.text[cut:cut + MOST_SHOWN]
            error.offset, error.end_offset = column - cut, None
        shown = "".join(traceback.format_exception_only(type(error), error)).rstrip()
        raise Refused("syntax_error", file=file, line=number, column=column, shown=shown)
    except (RecursionError, MemoryError) as error:
        raise Refused("unreadable", file=file, reason="it is nested too deep (%s)" % type(error).__name__)
    except (ValueError, OverflowError) as error:
        raise Refused("unreadable", file=file, reason=str(error))
    return tree, [line.encode() for line in lines]


# What a worker calls in an adapter that is a class; never a tool.
LIFE = ("setup", "initialize", "cleanup")


def list_tools(tree, lines):
    """The functions that the bridge would take: those marked with `@tool`, else all public ones. None if the class
    comes from elsewhere."""
    # What the module calls the two, and what it calls `snakepit_bridge`.
    names, modules = {"tool": set(), "on_session_end": set()}, set()
    functions, classes = [], {}
    for node in statements(tree.body):
        if isinstance(node, FUNCTIONS):
            functions.append(node)
        elif isinstance(node, ast.ClassDef):
            classes[node.name] = node
        elif isinstance(node, ast.ImportFrom) and node.module == "snakepit_bridge" and not node.level:
            for alias in node.names:
                if alias.name == "*":
                    names["tool"].add("tool")
                elif alias.name in names:
                    names[alias.name].add(alias.asname or alias.name)
        elif isinstance(node, ast.Import):
            modules.update(alias.asname or alias.name for alias in node.names if alias.name == "snakepit_bridge")
    wanted = question["class"]
    if wanted is not None:
        if wanted not in classes:
            if is_bound(wanted, tree):
                return None
            raise Refused("classless", names=sorted(classes)[:MOST_NAMES])
        functions = methods(classes[wanted], classes, {wanted})

    def marks_of(node, what):
        return [mark for mark in node.decorator_list if is_mark(mark, what, names[what], modules)]

    # What is called at the end of a session is no tool.
    functions = [node for node in functions if not marks_of(node, "on_session_end")]
    marks = [(node, mark) for node in functions for mark in marks_of(node, "tool")]
    if marks:
        named = [(marked_name(mark, node), node) for node, mark in marks]
    else:
        named = [(node.name, node) for node in functions if not node.name.startswith("_")]
    # Of two definitions the later one is what the module holds.
    tools = {name: node for name, node in named if name is not None}
    return [describe(name, node, lines, wanted is not None) for name, node in tools.items()]


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def statements(body):
    """Those of a module or class. Definitions in an `if` or `try` count, and other statements hold none."""
    waiting = body[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If):
            waiting.extend(node.orelse[::-1])
            if not never_imported(node.test):
                waiting.extend(node.body[::-1])
        elif type(node).__name__ in ("Try", "TryStar"):
            waiting.extend(node.finalbody[::-1] + node.orelse[::-1])
            for handler in node.handlers[::-1]:
                waiting.extend(handler.body[::-1])
            waiting.extend(node.body[::-1])
        else:
            yield node


def methods(node, classes, seen):
    """The functions of a class, those of its bases first."""
    found = {}
    for base in node.bases[::-1]:
        name = getattr(base, "id", None)
        if name in classes and name not in seen:
            found.update((method.name, method) for method in methods(classes[name], classes, seen | {name}))
    for one in statements(node.body):
        if isinstance(one, FUNCTIONS):
            # At the place of the later definition.
            found.pop(one.name, None)
            if one.name not in LIFE and not any(makes_no_method(mark) for mark in one.decorator_list):
                found[one.name] = one
        elif isinstance(one, ast.Assign):
            for target in one.targets:
                found.pop(getattr(target, "id", None), None)
    return list(found.values())


def makes_no_method(decorator):
    """`@property` and what belongs to one."""
    name = getattr(decorator, "attr", getattr(decorator, "id", None))
    return name in ("property", "cached_property", "setter", "getter", "deleter")


def is_bound(name, tree):
    """Whether the module may have this name from elsewhere, or by a statement that is not read."""
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, FUNCTIONS):
            if node.name == "__getattr__":
                return True
        elif isinstance(node, ast.ClassDef):
            if node.name == name:
                return True
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            bound = {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            if name in bound or "*" in bound:
                return True
        elif isinstance(node, ast.Name):
            if node.id == name and isinstance(node.ctx, ast.Store):
                return True
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return False


def never_imported(test):
    """`if TYPE_CHECKING` and `if __name__ == "__main__"`."""
    if isinstance(test, ast.Compare):
        sides = [getattr(side, "id", None) for side in [test.left] + test.comparators]
        return "__name__" in sides and isinstance(test.ops[0], ast.Eq)
    return getattr(test, "id", getattr(test, "attr", None)) == "TYPE_CHECKING"


def is_mark(node, what, names, modules):
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr == what and isinstance(node.value, ast.Name) and node.value.id in modules
    return isinstance(node, ast.Name) and node.id in names


def marked_name(mark, node):
    """The name that `@tool` gives; None where only running the module would tell."""
    name = node.name
    for keyword in mark.keywords if isinstance(mark, ast.Call) else ():
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else keyword
        if keyword.arg != "name" or not (value is None or isinstance(value, str)):
            return None
        name = value or name
    return name


def describe(name, node, lines, is_method):
    arguments = node.args
    positional = arguments.posonlyargs + arguments.args
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    kinds = ["PositionalOnly"] * len(arguments.posonlyargs) + ["PositionalOrKeyword"] * len(arguments.args)
    parameters = list(zip(positional, kinds, defaults))
    if is_method and not any(getattr(mark, "id", None) == "staticmethod" for mark in node.decorator_list):
        # `self`, which nobody gives.
        del parameters[:1]
    if arguments.vararg:
        parameters.append((arguments.vararg, "VarPositional", None))
    parameters += [(one, "KeywordOnly", value) for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults)]
    if arguments.kwarg:
        parameters.append((arguments.kwarg, "VarKeyword", None))
    return {
        "name": name,
        "parameters": [
            {
                "name": one.arg,
                "kind": kind,
                "default": segment(value, lines),
                "annotation": segment(one.annotation, lines),
            }
            for one, kind, value in parameters
        ],
        "returns": segment(node.returns, lines),
        "doc": next((line.strip() for line in (ast.get_docstring(node, False) or "").splitlines() if line.strip()), None),
        "is_async": isinstance(node, ast.AsyncFunctionDef),
        "is_streaming": yields(node),
    }


def segment(node, lines):
    """The source of an expression. `ast.get_source_segment` would split the whole source each time."""
    if node is None:
        return None
    first, last = node.lineno - 1, node.end_lineno - 1
    if first == last:
        return lines[first][node.col_offset:node.end_col_offset].decode()
    parts = [lines[first][node.col_offset:], *lines[first + 1:last], lines[last][:node.end_col_offset]]
    return b"\n".join(parts).decode()


def yields(function):
    """Whether a `yield` stands in the function's own body."""
    waiting = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))
    return False
