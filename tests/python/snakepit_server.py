"""A server of Snakepit's bridge as its users have one: plain `grpcio`, the messages of `snakepit_messages.py`, and nothing
of this project."""
import argparse
import json
import os
import signal
import struct
import sys
import threading
import time
from concurrent import futures

import grpc
from google.protobuf import any_pb2
from snakepit_messages import make_messages

M = make_messages()
SERVICE = "snakepit.bridge.BridgeService"


def pack(value):
    return any_pb2.Any(
        type_url="type.googleapis.com/google.protobuf.StringValue", value=json.dumps(value).encode()
    )


class Host:
    """The program, as the server calls it."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)

    def call(self, method, answer, **fields):
        request = M[method + "Request"](**fields)
        ask = self.channel.unary_unary(
            "/%s/%s" % (SERVICE, method), type(request).SerializeToString, M[answer].FromString
        )
        return ask(request, timeout=10)

    def tool(self, session, name, **named):
        parameters = {key: pack(value) for key, value in named.items()}
        reply = self.call(
            "ExecuteElixirTool", "ExecuteToolResponse", session_id=session, tool_name=name, parameters=parameters
        )
        if not reply.success:
            raise RuntimeError(reply.error_message)
        return reply.binary_result or json.loads(reply.result.value)


class Bridge:
    def __init__(self, host, adapter):
        self.host = host
        self.adapter = adapter
        self.sessions = {}
        self.closed = 0

    def Ping(self, request, context):
        return M["PingResponse"](message=request.message)

    def InitializeSession(self, request, context):
        self.sessions[request.session_id] = 0
        tools = {"echo": M["ToolSpec"](name="echo"), "count_up": M["ToolSpec"](name="count_up", supports_streaming=True)}
        return M["InitializeSessionResponse"](success=True, available_tools=tools)

    def CleanupSession(self, request, context):
        gone = self.sessions.pop(request.session_id, None) is not None
        return M["CleanupSessionResponse"](success=gone, resources_cleaned=int(gone))

    def ExecuteTool(self, request, context):
        named = {key: json.loads(value.value) for key, value in request.parameters.items()}
        named.update(request.binary_parameters)
        tool = getattr(self, "tool_" + request.tool_name, None)
        if tool is None:
            return M["ExecuteToolResponse"](success=False, error_message="no tool " + request.tool_name)
        try:
            value = tool(request.session_id, **named)
        except Exception as error:
            return M["ExecuteToolResponse"](success=False, error_message="%s: %s" % (type(error).__name__, error))
        if isinstance(value, M["ExecuteToolResponse"]):
            return value
        if isinstance(value, bytes):
            return M["ExecuteToolResponse"](success=True, binary_result=value)
        return M["ExecuteToolResponse"](success=True, result=pack(value))

    def ExecuteStreamingTool(self, request, context):
        named = {key: json.loads(value.value) for key, value in request.parameters.items()}
        chunk = M["ToolChunk"]
        try:
            if request.tool_name == "count_up":
                for number in range(named["to"]):
                    yield chunk(chunk_id=str(number), data=json.dumps(number).encode())
                yield chunk(chunk_id="end", is_final=True)
            elif request.tool_name == "raw":
                yield chunk(data=b"\xff\xfe\x00")
                yield chunk(data=b'"last"', is_final=True)
            elif request.tool_name == "endless":
                number = 0
                while True:
                    yield chunk(data=json.dumps(number).encode())
                    number += 1
                    time.sleep(0.001)
            elif request.tool_name == "unfinished":
                yield chunk(data=b"1")
            else:
                context.abort(grpc.StatusCode.NOT_FOUND, "no tool " + request.tool_name)
        finally:
            self.closed += 1

    def tool_echo(self, session, **named):
        return named

    def tool_reverse(self, session, data):
        return data[::-1]

    def tool_described(self, session, data):
        return M["ExecuteToolResponse"](success=True, result=pack({"length": len(data)}), binary_result=data)

    def tool_nothing(self, session):
        return M["ExecuteToolResponse"](success=True)

    def tool_fail(self, session, why):
        raise ValueError(why)

    def tool_malformed(self, session):
        return M["ExecuteToolResponse"](success=True, result=any_pb2.Any(value=b'{"a": nothing'))

    def tool_raw_error(self, session):
        raise_in_handler = M["ExecuteToolResponse"](success=False)
        return raise_in_handler

    def tool_large(self, session, length):
        return "x" * length

    def tool_count(self, session):
        self.sessions[session] += 1
        return self.sessions[session]

    def tool_known_sessions(self, session):
        return len(self.sessions)

    def tool_closed(self, session):
        return self.closed

    def tool_sleep(self, session, seconds):
        time.sleep(seconds)
        return seconds

    def tool_pid(self, session):
        return os.getpid()

    def tool_die(self, session):
        print("these are my last words", file=sys.stderr)
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(10)

    def tool_deaf(self, session):
        # It goes on to live, and listens no more.
        threading.Thread(target=lambda: self.server.stop(0)).start()
        time.sleep(60)

    def tool_arguments(self, session):
        return {"adapter": self.adapter, "argv": sys.argv[1:], "address": os.environ["SNAKEPIT_GRPC_ADDRESS"]}

    def tool_host(self, session, name, **named):
        return self.host.tool(session, name, **named)

    def tool_host_facts(self, session):
        exposed = self.host.call("GetExposedElixirTools", "GetExposedElixirToolsResponse", session_id=session)
        known = self.host.call("GetSession", "GetSessionResponse", session_id=session)
        beat = self.host.call("Heartbeat", "HeartbeatResponse", session_id=session)
        return {
            "tools": [tool.name for tool in exposed.tools],
            "session": known.session_id,
            "tool_count": known.tool_count,
            "valid": beat.session_valid,
        }

    def tool_telemetry(self, session):
        # `toggle.enabled`, then a `sampling` of half the events.
        controls = [b"\x0a\x02\x08\x01", b"\x12\x09\x09" + struct.pack("<d", 0.5)]
        events = self.host.channel.stream_stream("/%s/StreamTelemetry" % SERVICE)(iter(controls), timeout=10)
        return {"events": len(list(events)), "code": events.code().name}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--adapter")
    parser.add_argument("--elixir-address")
    parser.add_argument("--fault")
    args, _ = parser.parse_known_args()
    host = Host(args.elixir_address)
    assert host.call("Ping", "PingResponse", message="hello").message == "hello"
    registered = host.call(
        "RegisterTools",
        "RegisterToolsResponse",
        worker_id="w",
        tools=[M["ToolRegistration"](name=name[5:]) for name in dir(Bridge) if name.startswith("tool_")],
    )
    assert registered.success
    if args.fault == "never":
        time.sleep(60)
    if args.fault == "dies":
        sys.exit("the server has no licence")
    bridge = Bridge(host, args.adapter)
    methods = {}
    for name in ("Ping", "InitializeSession", "CleanupSession", "ExecuteTool"):
        methods[name] = grpc.unary_unary_rpc_method_handler(
            getattr(bridge, name), M[name + "Request"].FromString, lambda reply: reply.SerializeToString()
        )
    methods["ExecuteStreamingTool"] = grpc.unary_stream_rpc_method_handler(
        bridge.ExecuteStreamingTool, M["ExecuteToolRequest"].FromString, lambda reply: reply.SerializeToString()
    )
    unlimited = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", -1)]
    server = bridge.server = grpc.server(futures.ThreadPoolExecutor(8), options=unlimited)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    port = server.add_insecure_port("127.0.0.1:%d" % args.port)
    server.start()
    if args.fault == "other_port":
        port = 1
    text = "soon" if args.fault == "bad_file" else str(port)
    ready = os.environ["SNAKEPIT_READY_FILE"]
    with open(ready + ".part", "w") as file:
        file.write(text)
    os.rename(ready + ".part", ready)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(0))
    server.wait_for_termination()


main()
