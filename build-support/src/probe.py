# Who this interpreter is, as one line of JSON. It must run on every Python that somebody may still have, to tell that
# it is too old. What it imports beside what is loaded anyway doubles the time of the whole run: so it takes no `json`,
# and on the most usual interpreter neither `platform` nor `sysconfig`.
import sys

# The folder that it runs in is no place to import from; the option `-I` says the same, but Python 2 does not know it.
sys.path = [folder for folder in sys.path if folder not in ("", ".")]
import os

try:
    from _json import encode_basestring_ascii as quoted
except ImportError:
    from json.encoder import encode_basestring_ascii as quoted


def answer():
    if sys.version_info < (3, 8):
        return {"too_old": ".".join(map(str, sys.version_info[:3]))}
    import site

    gil = getattr(sys, "_is_gil_enabled", None)
    facts = facts_of_linux() or facts_of_any()
    standard_library = os.path.dirname(os.__file__)
    named = os.path.join("lib", os.path.basename(standard_library))
    own = [standard_library] + [os.path.join(prefix, named) for prefix in (sys.exec_prefix, sys.base_exec_prefix)]
    own += [os.path.join(folder, "lib-dynload") for folder in own]
    folders = [folder for folder in sys.path if folder not in own and os.path.isdir(folder)]
    # Those that are not there yet, too: something may be installed into them.
    folders += [folder for folder in site.getsitepackages() if folder not in folders]
    facts["markers"].update({
        "implementation_name": sys.implementation.name,
        "implementation_version": full(sys.implementation.version),
        "os_name": os.name,
        "python_version": "%d.%d" % sys.version_info[:2],
        "sys_platform": sys.platform,
    })
    facts.update({
        "version": full(sys.version_info),
        "implementation": sys.implementation.name,
        "executable": sys.executable or "",
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "cache_tag": sys.implementation.cache_tag or "",
        "abi_flags": getattr(sys, "abiflags", ""),
        "gil_enabled": True if gil is None else bool(gil()),
        "site_packages": folders,
        "standard_library": standard_library,
    })
    return facts


def full(info):
    level = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info[3])
    return ".".join(map(str, info[:3])) + (level + str(info[4]) if level else "")


def facts_of_linux():
    """What `platform` and `sysconfig` say on CPython for Linux, from where they have it themselves."""
    import _imp

    suffixes = _imp.extension_suffixes()
    if sys.platform != "linux" or sys.implementation.name != "cpython" or len(suffixes) < 2:
        return None
    system = os.uname()
    machine = system.machine.replace("/", "-").replace(" ", "_")
    return {
        "platform": os.environ.get("_PYTHON_HOST_PLATFORM") or "linux-" + machine,
        "soabi": suffixes[0][1:-len(".so")],
        "ext_suffix": suffixes[0],
        "free_threading": "t" in sys.abiflags,
        "markers": {
            "platform_machine": system.machine,
            "platform_python_implementation": "CPython",
            "platform_release": system.release,
            "platform_system": system.sysname,
            "platform_version": system.version,
            "python_full_version": sys.version.split()[0].rstrip("+"),
        },
    }


def facts_of_any():
    import platform
    import sysconfig

    variable = sysconfig.get_config_var
    return {
        "platform": sysconfig.get_platform(),
        "soabi": variable("SOABI") or "",
        "ext_suffix": variable("EXT_SUFFIX") or "",
        "free_threading": bool(variable("Py_GIL_DISABLED")),
        "markers": {
            "platform_machine": platform.machine(),
            "platform_python_implementation": platform.python_implementation(),
            "platform_release": platform.release(),
            "platform_system": platform.system(),
            "platform_version": platform.version(),
            "python_full_version": platform.python_version().rstrip("+"),
        },
    }


def json(value):
    if isinstance(value, dict):
        return "{" + ", ".join(quoted(key) + ": " + json(value[key]) for key in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value)


