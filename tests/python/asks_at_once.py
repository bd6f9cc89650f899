"""An adapter with a thread that calls the host as soon as it may: perhaps in the same breath as the worker is ready."""
import threading

from snakepit_bridge import HostError, host

answers = []


def ask():
    while not answers:
        try:
            answers.append(host.double(21))
        except HostError:
            pass


asking = threading.Thread(target=ask)
asking.start()


def answer():
    asking.join()
    return answers[0]
