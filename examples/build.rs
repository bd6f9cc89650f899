//! Finds the Python environments of the examples, which stand beside this file and not in a folder that is read anyway.

fn main() {
    snakepit_build::Builder::new()
        .source("blocking.rs")
        .source("host_tool.rs")
        .source("progress.rs")
        .source("python_env_auto.rs")
        .source("session.rs")
        .source("shared_array.rs")
        .emit();
}
