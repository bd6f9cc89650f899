"""The tools of the example."""

import sys


def greet(name, mark="!"):
    return f"hello, {name}{mark}"


def where():
    return [sys.version.split()[0], sys.prefix]
