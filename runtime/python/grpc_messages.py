"""The messages of `proto/snakepit_bridge.proto`, made when the worker starts: so they are never older than the
installed `protobuf`. They are kept apart from those that user code may have of the same protocol."""
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

# Fields are numbered as they stand; `one` is the only choice of its message.
MESSAGES = """
PingRequest message:string
PingResponse message:string server_time:Timestamp
SessionConfig enable_caching:bool cache_ttl_seconds:int32 enable_telemetry:bool
InitializeSessionRequest session_id:string metadata:map=string config:SessionConfig
InitializeSessionResponse success:bool error_message:string available_tools:map=ToolSpec
CleanupSessionRequest session_id:string force:bool
CleanupSessionResponse success:bool resources_cleaned:int32
GetSessionRequest session_id:string
GetSessionResponse session_id:string metadata:map=string created_at:Timestamp tool_count:int32
HeartbeatRequest session_id:string client_time:Timestamp
HeartbeatResponse server_time:Timestamp session_valid:bool
ParameterSpec name:string type:string description:string required:bool default_value:Any validation_json:string
ToolSpec name:string description:string parameters:list=ParameterSpec metadata:map=string supports_streaming:bool
ExecuteToolRequest session_id:string tool_name:string parameters:map=Any metadata:map=string stream:bool \
binary_parameters:map=bytes
ExecuteToolResponse success:bool result:Any error_message:string metadata:map=string execution_time_ms:int64 \
binary_result:bytes
ToolChunk chunk_id:string data:bytes is_final:bool metadata:map=string
ExecuteElixirToolRequest session_id:string tool_name:string parameters:map=Any metadata:map=string
TelemetryValue one=int_value:int64 one=float_value:double one=string_value:string
TelemetryEvent event_parts:list=string measurements:map=TelemetryValue metadata:map=string timestamp_ns:int64 \
correlation_id:string
TelemetryToggle enabled:bool
TelemetrySamplingUpdate sampling_rate:double event_patterns:list=string
TelemetryEventFilter allow:list=string deny:list=string
TelemetryControl one=toggle:TelemetryToggle one=sampling:TelemetrySamplingUpdate one=filter:TelemetryEventFilter
"""
PACKAGE = "snakepit.bridge"
ELSEWHERE = {"Any": ".google.protobuf.Any", "Timestamp": ".google.protobuf.Timestamp"}


def describe_messages():
    """The file that a protocol compiler would make of the table."""
    file = descriptor_pb2.FileDescriptorProto(name="snakepit_bridge.proto", package=PACKAGE, syntax="proto3")
    file.dependency.extend(["google/protobuf/any.proto", "google/protobuf/timestamp.proto"])
    for line in MESSAGES.replace("\\\n", "").strip().splitlines():
        name, *fields = line.split()
        message = file.message_type.add(name=name)
        for number, text in enumerate(fields, 1):
            field, _, kind = text.rpartition(":")
            is_one, _, field = field.rpartition("=")
            if is_one:
                if not message.oneof_decl:
                    message.oneof_decl.add(name="one")
                describe_field(message, field, number, kind).oneof_index = 0
            elif kind.startswith("map="):
                entry = "".join(word.capitalize() for word in field.split("_")) + "Entry"
                inner = message.nested_type.add(name=entry)
                inner.options.map_entry = True
                describe_field(inner, "key", 1, "string")
                describe_field(inner, "value", 2, kind[4:])
                described = describe_field(message, field, number, name + "." + entry)
                described.label = described.LABEL_REPEATED
            elif kind.startswith("list="):
                described = describe_field(message, field, number, kind[5:])
                described.label = described.LABEL_REPEATED
            else:
                describe_field(message, field, number, kind)
    return file


def describe_field(message, name, number, kind):
    field = message.field.add(name=name, number=number)
    field.label = field.LABEL_OPTIONAL
    if kind[0].isupper():
        field.type = field.TYPE_MESSAGE
        field.type_name = ELSEWHERE.get(kind) or ".%s.%s" % (PACKAGE, kind)
    else:
        field.type = getattr(field, "TYPE_" + kind.upper())
    return field


def make_messages():
    """The classes by name."""
    pool = descriptor_pool.DescriptorPool()
    for known in (any_pb2, timestamp_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    file = describe_messages()
    pool.AddSerializedFile(file.SerializeToString())
    names = ["%s.%s" % (PACKAGE, message.name) for message in file.message_type]
    names += [name[1:] for name in ELSEWHERE.values()]
    found = (pool.FindMessageTypeByName(name) for name in names)
    return {kind.name: message_factory.GetMessageClass(kind) for kind in found}
