"""A client that knows Snakepit's protocol and nothing of this project: `plain_client.py SOCKET`."""
import json
import sys
import threading

import grpc
from snakepit_messages import make_messages

made = make_messages()
channel = grpc.insecure_channel("unix:" + sys.argv[1])
SERVICE = "/snakepit.bridge.BridgeService/"


def method(name, answer, makes=channel.unary_unary):
    return makes(SERVICE + name, lambda message: message.SerializeToString(), made[answer].FromString)


def asked(tool, session="", binary=None, **named):
    message = made["ExecuteToolRequest"](tool_name=tool, session_id=session, binary_parameters=binary or {})
    for name, value in named.items():
        message.parameters[name].value = json.dumps(value).encode()
    return message


ping = method("Ping", "PingResponse")(made["PingRequest"](message="hello"))
assert ping.message == "hello" and ping.server_time.seconds > 0

begun = method("InitializeSession", "InitializeSessionResponse")(made["InitializeSessionRequest"](session_id="s"))
assert begun.success and "add" in begun.available_tools

execute = method("ExecuteTool", "ExecuteToolResponse")
answer = execute(asked("add", a=2, b=40))
assert answer.success and json.loads(answer.result.value) == 42, answer
assert answer.result.type_url == "type.googleapis.com/google.protobuf.StringValue"
answer = execute(asked("fail", message="no"))
assert not answer.success and answer.error_message == "no", answer
assert answer.metadata["error_type"] == "ValueError" and "wires.py" in answer.metadata["traceback"]
answer = execute(asked("reverse", binary={"data": b"\x00\x01\xff"}))
assert answer.success and answer.binary_result == b"\xff\x01\x00", answer
assert not execute(asked("non_such")).success
broken = asked("add")
broken.parameters["a"].value = b"{"
assert not execute(broken).success

execute(asked("put", session="s", key="key", value=7))
assert json.loads(execute(asked("get", session="s", key="key")).result.value) == 7
heartbeat = method("Heartbeat", "HeartbeatResponse")
assert heartbeat(made["HeartbeatRequest"](session_id="s")).session_valid
assert method("GetSession", "GetSessionResponse")(made["GetSessionRequest"](session_id="s")).tool_count > 0
cleaned = method("CleanupSession", "CleanupSessionResponse")(made["CleanupSessionRequest"](session_id="s"))
assert cleaned.success and cleaned.resources_cleaned == 1, cleaned
assert not heartbeat(made["HeartbeatRequest"](session_id="s")).session_valid

stream = method("ExecuteStreamingTool", "ToolChunk", channel.unary_stream)
chunks = list(stream(asked("numbers", count=30)))
assert [json.loads(chunk.data) for chunk in chunks[:-1]] == list(range(30))
assert chunks[-1].is_final and not any(chunk.is_final for chunk in chunks[:-1])
chunks = list(stream(asked("numbers", count=3, fail_at=1)))
assert chunks[-1].is_final and chunks[-1].metadata["error"] == "no number 1", chunks

# One whose time is over is interrupted, and the next one is served.
try:
    execute(asked("sleep", seconds=60), timeout=0.5)
    raise SystemExit("it slept")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
assert "Cancelled" in json.loads(execute(asked("what_happened")).result.value)

on = threading.Event()


def controls():
    control = made["TelemetryControl"]()
    control.toggle.enabled = True
    yield control
    on.wait()


events = method("StreamTelemetry", "TelemetryEvent", channel.stream_stream)(controls())
told = []


def calls():
    while not told:
        execute(asked("add", a=1, b=1))


caller = threading.Thread(target=calls)
caller.start()
event = next(events)
told.append(event)
caller.join()
assert list(event.event_parts) == ["tool", "execution", "stop"] and event.metadata["tool"] == "add", event
assert event.measurements["duration_ns"].int_value > 0
on.set()
events.cancel()
print("all is well")
