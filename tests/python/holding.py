"""For tools that a test waits for, and that wait for it: the file is one of `src/hold.rs`."""
import os
import time


def begin(path):
    """Tells the test that the tool has begun."""
    try:
        with open(path, "ab", 0, opener=lambda path, flags: os.open(path, flags & ~os.O_CREAT)) as file:
            file.write(b".")
    except FileNotFoundError:
        # It let go of all before this one began.
        pass


def hold(path):
    """Returns once the test lets go."""
    begin(path)
    while os.path.exists(path):
        time.sleep(0.005)
