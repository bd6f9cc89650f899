"""Short tools that are called one after the other, and what may come between."""
import os
import threading
import time

from snakepit_bridge import host

answers = []


def add(a, b):
    return a + b


def nap(seconds):
    time.sleep(seconds)


def meet(folder):
    """Returns once another worker is here as well."""
    open(os.path.join(folder, str(os.getpid())), "w").close()
    while len(os.listdir(folder)) < 2:
        time.sleep(0.001)
    return os.getpid()


def ask_aside(count):
    """Has a thread call the program, while this worker runs other tools or none."""

    def ask():
        for number in range(count):
            answers.append(host.double(number))
            time.sleep(0.0005)

    threading.Thread(target=ask, daemon=True).start()


def answered():
    return len(answers)


def leave(status):
    os._exit(status)
