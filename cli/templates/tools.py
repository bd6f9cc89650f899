"""The tools of the program's workers: its public functions can be called by name."""

import platform


def greet(name):
    return f"hello, {name}, from Python {platform.python_version()}"
