"""An adapter that marks its tools."""
from snakepit_bridge import tool


@tool
def first():
    return 1


@tool(name="renamed")
def second():
    return 2


def helper():
    return 3
