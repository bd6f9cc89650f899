"""An adapter that marks its tools."""
from snakepit_bridge import tool


@tool
def first():
    return 1


@tool(name="renamed")
def second():
    return 2


@tool(name="hidden_by_name")
def _third():
    return 3


def helper():
    return 3
