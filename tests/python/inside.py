"""What a worker sees of itself, for `tests/seven_kinds.rs`."""
import os
import socket
import sys

ACTIVATION = ["VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV"]


def inside(witness):
    """`witness` is a file of the host's machine."""
    return {
        "executable": sys.executable,
        "prefix": sys.prefix,
        "version": "%d.%d.%d" % sys.version_info[:3],
        "variables": {name: os.environ[name] for name in ACTIVATION if name in os.environ},
        "path": os.environ["PATH"].split(os.pathsep)[0],
        "host_name": socket.gethostname(),
        "sees_witness": os.path.exists(witness),
    }
