"""The tools of the example `python_env_docker`, which the image holds."""

import os
import platform
import socket


def greet(name):
    return f"{os.environ['GREETING']}, {name}, from Python {platform.python_version()}"


def surroundings():
    with open("/etc/os-release") as lines:
        values = dict(line.rstrip().split("=", 1) for line in lines if "=" in line)
    return [values["PRETTY_NAME"].strip('"'), socket.gethostname()]
