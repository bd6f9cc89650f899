"""The tool of the example `python_env_multi`; it runs in all three Pythons."""

import platform
import sys


def inside():
    return [platform.python_version(), sys.prefix]
