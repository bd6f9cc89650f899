"""The messages of Snakepit's protocol, written from its facts alone and with nothing of this project: so a number that is
wrong in the project is wrong beside these. That of several fields one is to be set does not show on the wire."""
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

FIELD = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    "string": FIELD.TYPE_STRING,
    "bool": FIELD.TYPE_BOOL,
    "int32": FIELD.TYPE_INT32,
    "int64": FIELD.TYPE_INT64,
    "double": FIELD.TYPE_DOUBLE,
    "bytes": FIELD.TYPE_BYTES,
}
TYPES = {"Any": ".google.protobuf.Any", "Timestamp": ".google.protobuf.Timestamp"}
MESSAGES = {
    "PingRequest": "message=1:string",
    "PingResponse": "message=1:string server_time=2:Timestamp",
    "SessionConfig": "enable_caching=1:bool cache_ttl_seconds=2:int32 enable_telemetry=3:bool",
    "InitializeSessionRequest": "session_id=1:string metadata=2:map:string config=3:SessionConfig",
    "InitializeSessionResponse": "success=1:bool error_message=2:string available_tools=3:map:ToolSpec",
    "CleanupSessionRequest": "session_id=1:string force=2:bool",
    "CleanupSessionResponse": "success=1:bool resources_cleaned=2:int32",
    "GetSessionRequest": "session_id=1:string",
    "GetSessionResponse": "session_id=1:string metadata=2:map:string created_at=3:Timestamp tool_count=4:int32",
    "HeartbeatRequest": "session_id=1:string client_time=2:Timestamp",
    "HeartbeatResponse": "server_time=1:Timestamp session_valid=2:bool",
    "ParameterSpec": "name=1:string type=2:string description=3:string required=4:bool default_value=5:Any"
    " validation_json=6:string",
    "ToolSpec": "name=1:string description=2:string parameters=3:list:ParameterSpec metadata=4:map:string"
    " supports_streaming=5:bool",
    "ExecuteToolRequest": "session_id=1:string tool_name=2:string parameters=3:map:Any metadata=4:map:string"
    " stream=5:bool binary_parameters=6:map:bytes",
    "ExecuteToolResponse": "success=1:bool result=2:Any error_message=3:string metadata=4:map:string"
    " execution_time_ms=5:int64 binary_result=6:bytes",
    "ToolChunk": "chunk_id=1:string data=2:bytes is_final=3:bool metadata=4:map:string",
    "ToolRegistration": "name=1:string description=2:string parameters=3:list:ParameterSpec metadata=4:map:string"
    " supports_streaming=5:bool",
    "RegisterToolsRequest": "session_id=1:string tools=2:list:ToolRegistration worker_id=3:string",
    "RegisterToolsResponse": "success=1:bool tool_ids=2:map:string error_message=3:string",
    "GetExposedElixirToolsRequest": "session_id=1:string",
    "GetExposedElixirToolsResponse": "tools=1:list:ToolSpec",
    "ExecuteElixirToolRequest": "session_id=1:string tool_name=2:string parameters=3:map:Any metadata=4:map:string",
    "TelemetryValue": "int_value=1:int64 float_value=2:double string_value=3:string",
    "TelemetryEvent": "event_parts=1:list:string measurements=2:map:TelemetryValue metadata=3:map:string"
    " timestamp_ns=4:int64 correlation_id=5:string",
    "TelemetryToggle": "enabled=1:bool",
    "TelemetrySamplingUpdate": "sampling_rate=1:double event_patterns=2:list:string",
    "TelemetryEventFilter": "allow=1:list:string deny=2:list:string",
    "TelemetryControl": "toggle=1:TelemetryToggle sampling=2:TelemetrySamplingUpdate filter=3:TelemetryEventFilter",
}


def make_messages():
    file = descriptor_pb2.FileDescriptorProto(name="bridge.proto", package="snakepit.bridge", syntax="proto3")
    file.dependency.extend([any_pb2.DESCRIPTOR.name, timestamp_pb2.DESCRIPTOR.name])

    def put(field, kind):
        if kind in SCALARS:
            field.type = SCALARS[kind]
        else:
            field.type = FIELD.TYPE_MESSAGE
            field.type_name = TYPES.get(kind, ".snakepit.bridge." + kind)

    for name, text in MESSAGES.items():
        message = file.message_type.add(name=name)
        for part in text.split():
            declared, *shape, kind = part.split(":")
            label, number = declared.split("=")
            field = message.field.add(name=label, number=int(number), label=FIELD.LABEL_OPTIONAL)
            if shape == ["map"]:
                entry = message.nested_type.add(name="".join(w.title() for w in label.split("_")) + "Entry")
                entry.options.map_entry = True
                put(entry.field.add(name="key", number=1, label=FIELD.LABEL_OPTIONAL), "string")
                put(entry.field.add(name="value", number=2, label=FIELD.LABEL_OPTIONAL), kind)
                field.label = FIELD.LABEL_REPEATED
                field.type = FIELD.TYPE_MESSAGE
                field.type_name = ".snakepit.bridge.%s.%s" % (name, entry.name)
                continue
            if shape == ["list"]:
                field.label = FIELD.LABEL_REPEATED
            put(field, kind)
    pool = descriptor_pool.Default()
    pool.Add(file) if hasattr(pool, "Add") else pool.AddSerializedFile(file.SerializeToString())
    get = message_factory.GetMessageClass
    return {name: get(pool.FindMessageTypeByName("snakepit.bridge." + name)) for name in MESSAGES}
