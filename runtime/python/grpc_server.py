"""The worker as a gRPC server on the protocol of Snakepit's bridge: a call is a request of the worker, and its reply
the answer. The host puts whole requests into a parameter without a name; any other client gets the plain protocol."""
from _queue import SimpleQueue
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from json import JSONDecoder
from time import time_ns

import grpc

messages = make_messages()
Any, Timestamp = messages["Any"], messages["Timestamp"]
Response, Chunk = messages["ExecuteToolResponse"], messages["ToolChunk"]
SERVICE = "snakepit.bridge.BridgeService"
VALUE = "type.googleapis.com/google.protobuf.StringValue"
# In the metadata: the host's number of a request, one that it cancels, where buffers begin behind an item, and what
# went wrong.
NUMBER_OF, CANCELS, TAIL, FAULT = "snakepit-request", "snakepit-cancel", "snakepit-tail", "snakepit-fault"
# What a client without credit of its own is sent ahead.
AHEAD = 16
GRPC_OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

# Of each request that runs, where its replies go, if it runs elsewhere. The host's numbers are below these.
answers = {}
# Requests that were answered a moment ago: who cancels one of them comes too late.
answered = deque(maxlen=256)
here = _thread._local()
numbers = count(1 << 32)
ask_program = None


def give(request, kind, body):
    """In place of the sockets: whatever a request gives goes to its call."""
    if kind == HOST_CALL:
        call_host(request, body)
        return
    calls = answers.get(request) if kind == ITEM else settle(request)
    if calls is not None:
        calls.put((kind, body))


def settle(request):
    """The request has its last reply."""
    answered.append(request)
    return answers.pop(request, None)


class Job:
    """A call that is run by the threads that run requests, in place of a thread of the server's own: a call that goes
    from thread to thread takes half as long again."""

    __slots__ = ("work", "arguments", "lock", "is_done", "callback")

    def __init__(self, work, arguments):
        self.work = work
        self.arguments = arguments
        self.lock = _thread.allocate_lock()
        self.is_done = False
        self.callback = None

    def run(self):
        self.work(*self.arguments)
        self.work = self.arguments = None
        with self.lock:
            self.is_done = True
            callback = self.callback
        if callback is not None:
            callback(self)

    def add_done_callback(self, callback):
        with self.lock:
            if not self.is_done:
                self.callback = callback
                return
        callback(self)


class Jobs:
    """What the server takes for its threads."""

    def __init__(self, worker):
        self.worker = worker

    def submit(self, work, *arguments):
        job = Job(work, arguments)
        self.worker.deliver(job)
        return job


def serve_calls(worker, slot=None):
    """Instead of the sockets' own: takes one request after the other."""
    if slot is None:
        slot = Slot()
        worker.slots.append(slot)
    here.slot = slot
    while True:
        taken = worker.read()
        if taken is None:
            worker.deliver(None)
            return
        if type(taken) is Job:
            taken.run()
        else:
            slot.request = request = taken[0]
            give(request, *worker.answer(slot, request, taken[2]))
        taken = None


def tail_of(body):
    return b"".join(body.pieces)


def loaded(text, tail):
    """A request's text with the buffers behind it."""
    if not tail:
        return text
    text = Loaded(text)
    text.buffers = take_in(memoryview(bytearray(tail)), ())
    return text


class Service:
    def __init__(self, worker):
        self.worker = worker
        self.watchers = []

    def text(self, asked, streams):
        """A call as the text of a request."""
        if "" in asked.parameters:
            return loaded(asked.parameters[""].value.decode(), asked.binary_parameters.get("", b""))
        buffers = []
        named = {name: value.value.decode() or "null" for name, value in asked.parameters.items()}
        for name, data in asked.binary_parameters.items():
            named[name] = NUMBER + str(len(buffers))
            buffers.append(Arrived("bytes", (len(data),), memoryview(data)))
        arguments = ",".join(encode(name).decode() + ":" + value for name, value in named.items())
        more = {"credit": AHEAD} if streams else {}
        if asked.session_id:
            more["session"] = asked.session_id
        text = "[%s,%s" % (encode(asked.tool_name).decode(), "{%s}" % arguments if named else "null")
        text += ",%s]" % encode(more).decode() if more else "]"
        if buffers:
            text = Loaded(text)
            text.buffers = buffers
        return text

    def number(self, asked, context):
        """The host's number, or one for a client whose call may just go away."""
        number = asked.metadata.get(NUMBER_OF)
        if number:
            return int(number)
        number = next(numbers)
        # Also called when all is well, and then there is nothing to cancel.
        context.add_callback(lambda: self.cancel(number))
        return number

    def begin(self, number, text):
        calls = answers[number] = SimpleQueue()
        self.worker.deliver((number, REQUEST, text))
        return calls

    def run(self, number, text):
        """A request as the kind of its reply, and the reply."""
        slot = getattr(here, "slot", None)
        if slot is None:
            return self.begin(number, text).get()
        slot.request = number
        answers[number] = None
        reply = self.worker.answer(slot, number, text)
        settle(number)
        return reply

    def cancel(self, number):
        worker = self.worker
        if number in answered:
            return
        part("interrupts")
        if worker.loop is not None:
            worker.loop.cancel(number, 0)
            return
        # Noted first: whoever takes it now sees it.
        worker.cancelled.add(number)
        if strike_in(worker.slots, number):
            worker.cancelled.discard(number)

    def ExecuteTool(self, asked, context):
        begun = time_ns()
        number = self.number(asked, context)
        kind, body = self.run(number, self.text(asked, False))
        self.worker.cancelled.discard(number)
        if self.watchers:
            self.tell(asked, kind, begun)
        if kind == ERROR:
            return Response(**failed(body))
        result = Any(type_url=VALUE, value=bytes(body))
        if type(body) is not Packed:
            return Response(success=True, result=result)
        if "" not in asked.parameters and body == encode(MARK + "0"):
            # The bytes themselves are the last of its pieces.
            return Response(success=True, binary_result=bytes(body.pieces[-1]))
        return Response(success=True, result=result, binary_result=tail_of(body))

    def ExecuteStreamingTool(self, asked, context):
        # Here, since it must not wait behind what it cancels.
        cancelled = asked.metadata.get(CANCELS)
        if cancelled:
            self.cancel(int(cancelled))
            yield Chunk(is_final=True)
            return
        begun = time_ns()
        number = self.number(asked, context)
        calls = self.begin(number, self.text(asked, True))
        place = 0
        try:
            while True:
                kind, body = calls.get()
                if kind != ITEM:
                    break
                place += 1
                if type(body) is Packed:
                    yield Chunk(chunk_id=str(place), data=body + tail_of(body), metadata={TAIL: str(len(body))})
                else:
                    yield Chunk(chunk_id=str(place), data=body)
                # It is on its way: the tool may go on.
                flow = self.worker.flows.get(number)
                if flow is not None:
                    flow.grant(1)
            if self.watchers:
                self.tell(asked, kind, begun)
            if kind == ERROR:
                told = failed(body)
                told["metadata"]["error"] = told["error_message"]
                yield Chunk(is_final=True, metadata=told["metadata"])
            else:
                yield Chunk(is_final=True)
        finally:
            self.cancel(number)
            self.worker.cancelled.discard(number)

    def Ping(self, asked, context):
        return messages["PingResponse"](message=asked.message, server_time=now())

    def InitializeSession(self, asked, context):
        tools = {name: messages["ToolSpec"](name=name) for name in self.worker.tools}
        return messages["InitializeSessionResponse"](success=True, available_tools=tools)

    def CleanupSession(self, asked, context):
        part("sessions")
        known = asked.session_id in stores
        text = encode([None, None, {"session": asked.session_id, "end": "ended"}]).decode()
        kind, _ = self.begin(next(numbers), text).get()
        return messages["CleanupSessionResponse"](success=kind != ERROR, resources_cleaned=int(known))

    def GetSession(self, asked, context):
        part("sessions")
        if asked.session_id not in stores:
            context.abort(grpc.StatusCode.NOT_FOUND, "no session `%s`" % asked.session_id)
        return messages["GetSessionResponse"](session_id=asked.session_id, tool_count=len(self.worker.tools))

    def Heartbeat(self, asked, context):
        part("sessions")
        return messages["HeartbeatResponse"](server_time=now(), session_valid=asked.session_id in stores)

    def StreamTelemetry(self, controls, context):
        """An event for each call that ends, once the client has turned it on."""
        events = SimpleQueue()

        def listen_to_client():
            try:
                for control in controls:
                    if control.WhichOneof("one") == "toggle":
                        if control.toggle.enabled and events not in self.watchers:
                            self.watchers.append(events)
                        elif not control.toggle.enabled and events in self.watchers:
                            self.watchers.remove(events)
            except Exception:
                # The call is over.
                pass

        _thread.start_new_thread(listen_to_client, ())
        if not context.add_callback(lambda: events.put(None)):
            return
        try:
            while True:
                event = events.get()
                if event is None:
                    return
                yield event
        finally:
            if events in self.watchers:
                self.watchers.remove(events)

    def tell(self, asked, kind, begun):
        value = messages["TelemetryValue"]
        event = messages["TelemetryEvent"](
            event_parts=["tool", "execution", "exception" if kind == ERROR else "stop"],
            measurements={"duration_ns": value(int_value=time_ns() - begun)},
            metadata={"tool": asked.tool_name, "session_id": asked.session_id},
            timestamp_ns=time_ns(),
        )
        for events in self.watchers:
            events.put(event)


def failed(body):
    """A worker's account of what went wrong, for the host whole and for others in their words."""
    told = decode(body.decode())
    metadata = {FAULT: body.decode()}
    for key, name in (("type", "error_type"), ("traceback", "traceback")):
        if isinstance(told.get(key), str):
            metadata[name] = told[key].encode("utf-8", "replace").decode()
    message = str(told.get("message") or told["kind"]).encode("utf-8", "replace").decode()
    return {"success": False, "error_message": message, "metadata": metadata}


def now():
    seconds, nanos = divmod(time_ns(), 1_000_000_000)
    return Timestamp(seconds=seconds, nanos=nanos)


def call_host(call, body):
    """Has the host run one of its functions; `host_answered` hears what comes of it."""
    parameters = {"": Any(type_url=VALUE, value=bytes(body))}
    if type(body) is Packed:
        parameters[TAIL] = Any(value=tail_of(body))
    asked = messages["ExecuteElixirToolRequest"](tool_name=decode_name(body), parameters=parameters)

    def done(future):
        try:
            answer = future.result()
        except Exception as error:
            text = encode("the host cannot be asked: %s" % (getattr(error, "details", str)() or error)).decode()
            host_answered(call, HOST_ERROR, text)
            return
        if answer.success:
            host_answered(call, HOST_REPLY, loaded(answer.result.value.decode() or "null", answer.binary_result))
        else:
            host_answered(call, HOST_ERROR, encode(answer.error_message).decode())

    ask_program.future(asked).add_done_callback(done)


def decode_name(body):
    """The first item of a list of JSON; the rest may stand for buffers."""
    return JSONDecoder().raw_decode(body.decode(), 1)[0]


def open_server(worker, config, room):
    """Listens, and connects to the host; None if that failed, of which the host was told."""
    try:
        return listen_on(worker, config, room)
    except Exception as error:
        reason = "its gRPC server does not start: %s: %s" % (type(error).__name__, error)
        write(frame(0, FAILED, encode({"reason": reason})))


def listen_on(worker, config, room):
    """The sockets are in a folder that only this user can enter."""
    global ask_program
    # Each stream keeps a thread; some are left for signs of life and for what cancels.
    jobs = threads = ThreadPoolExecutor(room + 8, "snakepit-grpc")
    worker.send = give
    if worker.loop is not None:
        worker.loop.write = partial(write_from_loop, worker.loop)
    else:
        worker.serve = partial(serve_calls, worker)
        jobs = Jobs(worker)
    service = Service(worker)
    handlers = {}
    unary = grpc.unary_unary_rpc_method_handler
    for name, asked, makes in (
        ("Ping", "PingRequest", unary),
        ("InitializeSession", "InitializeSessionRequest", unary),
        ("CleanupSession", "CleanupSessionRequest", unary),
        ("GetSession", "GetSessionRequest", unary),
        ("Heartbeat", "HeartbeatRequest", unary),
        ("ExecuteTool", "ExecuteToolRequest", unary),
        ("ExecuteStreamingTool", "ExecuteToolRequest", grpc.unary_stream_rpc_method_handler),
        ("StreamTelemetry", "TelemetryControl", grpc.stream_stream_rpc_method_handler),
    ):
        behavior = partial(getattr(service, name))
        if name != "ExecuteTool":
            behavior.experimental_thread_pool = threads
        handlers[name] = makes(
            behavior,
            request_deserializer=messages[asked].FromString,
            response_serializer=serialized,
        )
    server = grpc.server(jobs, options=GRPC_OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    server.add_insecure_port("unix:" + config["worker"])
    # The host's HTTP takes no path of a socket for a name.
    named = GRPC_OPTIONS + [("grpc.default_authority", "localhost")]
    channel = grpc.insecure_channel("unix:" + config["host"], options=named)
    ask_program = channel.unary_unary(
        "/%s/ExecuteElixirTool" % SERVICE,
        request_serializer=serialized,
        response_deserializer=Response.FromString,
    )
    part("host_tools")
    server.start()
    return server


def serialized(message):
    return message.SerializeToString()


def write_from_loop(loop, request, kind, body):
    give(request, kind, body)
    loop.loop.call_soon(loop.begin)
