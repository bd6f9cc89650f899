"""The tools of the pool's tests."""
import os
import signal
import subprocess
import sys
import time

import holding

count = 0


def add(a, b=0):
    return a + b


def shout(text):
    print("printed by a tool")
    os.write(1, b"written to descriptor 1\n")
    subprocess.run(["echo", "from a child of the tool"], check=True)
    return text.upper()


def fail(message):
    raise ValueError(message)


def fail_with_a_file_name():
    raise FileNotFoundError(os.fsdecode(b"/nowhere/caf\xe9"))


def leave():
    sys.exit(3)


def crash():
    sys.stderr.write("about to go\n")
    sys.stderr.flush()
    os._exit(7)


def kill_me():
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(seconds):
    time.sleep(seconds)
    return os.getpid()


def hold(path):
    holding.hold(path)
    return os.getpid()


def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def counted():
    global count
    count += 1
    return count


def unencodable():
    return {"value": object()}


def not_a_number():
    return float("nan")


def cyclic():
    value = []
    value.append(value)
    return value


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


def garbage():
    import __main__

    os.write(__main__.replies_fd, b"this is no frame at all, but a good deal of text")
    time.sleep(60)


def close_descriptors():
    os.closerange(3, 64)
    time.sleep(60)


def fork_and_die():
    if os.fork() == 0:
        time.sleep(60)
    os._exit(9)


def with_processes(tool, seconds):
    """Runs a tool after it has started a process that ignores what it is told, and one below a shell."""
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    subprocess.Popen([sys.executable, "-S", "-c", deaf])
    subprocess.Popen(["sh", "-c", "sleep 600; true"])
    return globals()[tool](seconds)


def hang(seconds):
    """Keeps the GIL."""
    import ctypes

    ctypes.PyDLL(None).sleep(seconds)


def fill_stderr(lines):
    for number in range(lines):
        print("line %d of a great many" % number, file=sys.stderr)
    sys.stderr.write("x" * 100000)
    return lines


def text_of(length):
    return "é" * length


def length_of(text):
    return len(text)


async def later(value):
    import asyncio

    await asyncio.sleep(0.01)
    return value


def pid():
    return os.getpid()


def _private():
    return "hidden"
