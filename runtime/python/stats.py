"""The tool `get_stats`."""


def stats(worker):
    implementation = sys.implementation.name
    gil = getattr(sys, "_is_gil_enabled", None)
    return {
        "pid": os.getpid(),
        "worker": worker.number,
        "requests": worker.requests,
        "errors": worker.errors,
        "uptime_seconds": monotonic() - worker.started,
        "python_version": "%d.%d.%d" % sys.version_info[:3],
        "implementation": implementation,
        "executable": sys.executable,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "virtual_env": os.environ.get("VIRTUAL_ENV"),
        "gil_enabled": True if gil is None else gil(),
        "tools": sorted(worker.tools),
    }
