"""Other ways to have Python answer, each with one process that answers.

`rivals.py KIND REQUESTS IN_FLIGHT SIZE` prints the requests a second, and the kilobytes that the process holds. A value
is a small object, or a text of SIZE characters where that is not 0. `rivals.py grpc_server ADDRESS` only answers until
its input ends; who calls it is `src/grpc.rs`.
"""
import json
import multiprocessing
import os
import sys
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

SERVICE = "bench.Echo"
# The end of a server is no news.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def echo(value):
    return value


def resident(pid):
    with open("/proc/%d/status" % pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def encode(value):
    return json.dumps(value, separators=(",", ":")).encode()


def measure(call, submit, result):
    value = "x" * size if size else {"text": "hello", "number": 1}
    for _ in range(10):
        assert call(value) == value
    begin = time.perf_counter()
    if in_flight == 1:
        for _ in range(requests):
            call(value)
    else:
        waiting = deque(submit(value) for _ in range(in_flight))
        for _ in range(requests - in_flight):
            result(waiting.popleft())
            waiting.append(submit(value))
        while waiting:
            result(waiting.popleft())
    return requests / (time.perf_counter() - begin)


def executor():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool:
        pid = pool.submit(os.getpid).result()
        rate = measure(
            lambda value: pool.submit(echo, value).result(),
            lambda value: pool.submit(echo, value),
            lambda future: future.result(),
        )
        print(rate, resident(pid))


def pool():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pid = pool.apply(os.getpid)
        rate = measure(
            lambda value: pool.apply(echo, (value,)),
            lambda value: pool.apply_async(echo, (value,)),
            lambda result: result.get(),
        )
        print(rate, resident(pid))


def tool_handler(grpc):
    """A call of Snakepit's protocol, with nothing around it. Without `protobuf` there is none."""
    messages = os.path.join(os.path.dirname(__file__), "../../runtime/python/grpc_messages.py")
    names = {}
    try:
        with open(messages) as text:
            exec(text.read(), names)
    except ImportError:
        return grpc.unary_unary_rpc_method_handler(None)
    made = names["make_messages"]()

    def execute(asked, context):
        value = json.loads(asked.parameters["value"].value)
        return made["ExecuteToolResponse"](success=True, result=made["Any"](value=encode(value)))

    asked = made["ExecuteToolRequest"].FromString
    return grpc.unary_unary_rpc_method_handler(execute, asked, lambda message: message.SerializeToString())


def grpc_server(address):
    import grpc

    server = grpc.server(ThreadPoolExecutor(8), options=UNLIMITED)
    handler = grpc.unary_unary_rpc_method_handler(lambda value, context: value, json.loads, encode)
    raw = grpc.unary_unary_rpc_method_handler(lambda value, context: value)
    handlers = {"Echo": handler, "Bytes": raw, "Tool": tool_handler(grpc)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_insecure_port(address)
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop(None)


if sys.argv[1] == "grpc_server":
    grpc_server(sys.argv[2])
else:
    requests, in_flight, size = map(int, sys.argv[2:])
    {"executor": executor, "pool": pool}[sys.argv[1]]()
