"""Tools of workers that die, hang, grow and start other processes, for the tests of supervision."""
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time

import snakepit_bridge

# The test that makes this file wants the worker not to start. It is the host's own, and the pool's.
cause = os.path.join(tempfile.gettempdir(), "snakepit-unruly-%d-%s" % (os.getppid(), os.environ.get("UNRULY", "")))
if os.path.exists(cause):
    print("the database is not there", file=sys.stderr)
    raise ConnectionError("no database")

kept = []


@snakepit_bridge.on_session_end
def note(session, why):
    with open(session["path"], "w") as file:
        file.write(why)


def remember(path):
    snakepit_bridge.session["path"] = path
    return os.getpid()


def pid():
    return os.getpid()


def crash():
    print("about to go", file=sys.stderr)
    os._exit(7)


def stop():
    os.kill(os.getpid(), signal.SIGSTOP)


def hold_the_gil():
    ctypes.PyDLL(None).sleep(3600)


def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return os.getpid()


def hoard(mib):
    kept.append(bytearray(mib << 20))
    return os.getpid()


def count(items):
    for number in range(items):
        yield [number, os.getpid()]


def start_child():
    child = subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL)
    kept.append(child)
    return child.pid


def start_child_that_cleans_up(path):
    """It removes the file when it is told to go."""
    text = (
        "import os, signal, sys\n"
        "def leave(*_):\n    os.remove(sys.argv[1])\n    os._exit(0)\n"
        "signal.signal(signal.SIGTERM, leave)\n"
        "print('ready', flush=True)\n"
        "while True:\n    signal.pause()\n"
    )
    return start_python(text, path)


def start_stubborn_child():
    text = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\nsignal.pause()\n"
    return start_python(text)


def start_python(text, *arguments):
    command = [sys.executable, "-I", "-c", text, *arguments]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    child.stdout.readline()
    kept.append(child)
    return child.pid


def refuse_to_go():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return os.getpid()
