"""Python's own pool with one worker: `executor.py REQUESTS IN_FLIGHT` prints the requests a second."""
import multiprocessing
import sys
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor


def echo(value):
    return value


requests, in_flight = int(sys.argv[1]), int(sys.argv[2])
value = {"text": "hello", "number": 1}
with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as executor:
    executor.submit(echo, value).result()
    begin = time.perf_counter()
    waiting = deque(executor.submit(echo, value) for _ in range(in_flight))
    for _ in range(requests - in_flight):
        waiting.popleft().result()
        waiting.append(executor.submit(echo, value))
    while waiting:
        waiting.popleft().result()
    print(requests / (time.perf_counter() - begin))
