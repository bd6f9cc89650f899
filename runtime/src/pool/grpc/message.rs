//! The messages of `proto/snakepit_bridge.proto`, as far as the host sends or reads them. Written by hand: so no
//! protocol compiler is needed, neither here nor where the crate is built.

use std::collections::BTreeMap;

use prost::Message;

/// What a value's type is called, whatever it is.
const VALUE: &str = "type.googleapis.com/google.protobuf.StringValue";

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

impl Any {
    /// A value as its JSON text.
    pub(super) fn json(json: impl Into<Vec<u8>>) -> Self {
        Self {
            type_url: VALUE.to_owned(),
            value: json.into(),
        }
    }
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PingRequest {
    #[prost(string, tag = "1")]
    pub(super) message: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PingResponse {
    #[prost(string, tag = "1")]
    pub(super) message: String,
    #[prost(message, optional, tag = "2")]
    pub(super) server_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionConfig {
    #[prost(bool, tag = "1")]
    pub(super) enable_caching: bool,
    #[prost(int32, tag = "2")]
    pub(super) cache_ttl_seconds: i32,
    #[prost(bool, tag = "3")]
    pub(super) enable_telemetry: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct InitializeSessionRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(message, optional, tag = "3")]
    pub(super) config: Option<SessionConfig>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct InitializeSessionResponse {
    #[prost(bool, tag = "1")]
    pub(super) success: bool,
    #[prost(string, tag = "2")]
    pub(super) error_message: String,
    #[prost(btree_map = "string, message", tag = "3")]
    pub(super) available_tools: BTreeMap<String, ToolSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CleanupSessionRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(bool, tag = "2")]
    pub(super) force: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CleanupSessionResponse {
    #[prost(bool, tag = "1")]
    pub(super) success: bool,
    #[prost(int32, tag = "2")]
    pub(super) resources_cleaned: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetSessionRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetSessionResponse {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(message, optional, tag = "3")]
    pub(super) created_at: Option<Timestamp>,
    #[prost(int32, tag = "4")]
    pub(super) tool_count: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HeartbeatRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) client_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct HeartbeatResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) server_time: Option<Timestamp>,
    #[prost(bool, tag = "2")]
    pub(super) session_valid: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ParameterSpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) r#type: String,
    #[prost(string, tag = "3")]
    pub(super) description: String,
    #[prost(bool, tag = "4")]
    pub(super) required: bool,
    #[prost(message, optional, tag = "5")]
    pub(super) default_value: Option<Any>,
    #[prost(string, tag = "6")]
    pub(super) validation_json: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ToolSpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) description: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) parameters: Vec<ParameterSpec>,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(bool, tag = "5")]
    pub(super) supports_streaming: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecuteToolRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(string, tag = "2")]
    pub(super) tool_name: String,
    #[prost(btree_map = "string, message", tag = "3")]
    pub(super) parameters: BTreeMap<String, Any>,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(bool, tag = "5")]
    pub(super) stream: bool,
    #[prost(btree_map = "string, bytes", tag = "6")]
    pub(super) binary_parameters: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecuteToolResponse {
    #[prost(bool, tag = "1")]
    pub(super) success: bool,
    #[prost(message, optional, tag = "2")]
    pub(super) result: Option<Any>,
    #[prost(string, tag = "3")]
    pub(super) error_message: String,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(int64, tag = "5")]
    pub(super) execution_time_ms: i64,
    #[prost(bytes = "vec", tag = "6")]
    pub(super) binary_result: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ToolChunk {
    #[prost(string, tag = "1")]
    pub(super) chunk_id: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) data: Vec<u8>,
    #[prost(bool, tag = "3")]
    pub(super) is_final: bool,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) metadata: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ToolRegistration {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) description: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) parameters: Vec<ParameterSpec>,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) metadata: BTreeMap<String, String>,
    #[prost(bool, tag = "5")]
    pub(super) supports_streaming: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RegisterToolsRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) tools: Vec<ToolRegistration>,
    #[prost(string, tag = "3")]
    pub(super) worker_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RegisterToolsResponse {
    #[prost(bool, tag = "1")]
    pub(super) success: bool,
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) tool_ids: BTreeMap<String, String>,
    #[prost(string, tag = "3")]
    pub(super) error_message: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetExposedElixirToolsRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GetExposedElixirToolsResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) tools: Vec<ToolSpec>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecuteElixirToolRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(string, tag = "2")]
    pub(super) tool_name: String,
    #[prost(btree_map = "string, message", tag = "3")]
    pub(super) parameters: BTreeMap<String, Any>,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) metadata: BTreeMap<String, String>,
}

/// What a worker asks to be told of. None of it is read: the host has no events.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TelemetryControl {}

/// An event, which the host never sends.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TelemetryEvent {}
