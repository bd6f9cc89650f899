"""A tool that needs the processor."""
from time import perf_counter


def burn(seconds):
    end = perf_counter() + seconds
    while perf_counter() < end:
        pass
