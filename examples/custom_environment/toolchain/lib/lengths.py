"""A module that comes with the toolchain."""

METRES = {"foot": 0.3048, "mile": 1609.344, "nautical mile": 1852.0}
