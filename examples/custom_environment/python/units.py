"""The tools of the example `custom_environment`."""

import os

# Only a Python that the toolchain's script started finds it.
import lengths


def metres(value, unit):
    return value * lengths.METRES[unit]


def home():
    return os.environ["TOOLCHAIN_HOME"]
