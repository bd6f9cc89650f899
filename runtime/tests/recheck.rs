//! The re-check against files that change.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use snakepit::{
    Affinity, Check, Defaults, Drift, EnvOp, Memo, Metadata, Profile, SpawnSpec, Supervision,
};

fn lasting<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn spec(checks: Vec<Check>, env: Vec<EnvOp>) -> &'static SpawnSpec {
    lasting(SpawnSpec {
        pool: "ml",
        command: "/bin/sh",
        args: &[],
        env: lasting(env),
        cwd: None,
        metadata: Metadata {
            environment: "venv",
            detected_by: "declared",
            python_version: "3.11.2",
            implementation: "cpython",
            prefix: "/p",
            base_prefix: "/p",
            free_threading: false,
            extra: &[],
        },
        checks: lasting(checks),
        adapter: None,
        embedded: None,
        tools: &[],
        python_path: &[],
        defaults: Defaults {
            size: 1,
            profile: Profile::Process,
            startup_timeout: Duration::from_secs(1),
            execute_timeout: Duration::from_secs(1),
            cancel_timeout: Duration::from_secs(1),
            affinity: Affinity::Hint,
            lenient: false,
            session_timeout: Duration::from_secs(1),
            shutdown_timeout: Duration::from_secs(1),
            queue_limit: 1,
            supervision: Supervision {
                restart_delay: Duration::from_secs(1),
                max_restart_delay: Duration::from_secs(1),
                max_restarts: 1,
                restart_window: Duration::from_secs(1),
                max_requests: None,
                max_age: None,
                max_memory: None,
                heartbeat_timeout: None,
                kill_timeout: Duration::from_secs(1),
            },
        },
        memo: Memo::new(),
    })
}

/// What a file that held `before` and holds `now` is reported as.
fn drift(before: &'static str, now: &str) -> Result<(), Drift> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pyvenv.cfg");
    fs::write(&path, now).unwrap();
    let path = lasting(path.to_str().unwrap().to_owned());
    spec(vec![Check::Content { path, text: before }], Vec::new()).recheck()
}

#[test]
fn the_first_line_that_changed_is_named_with_what_to_do() {
    let found = drift("home = /a\nversion = 3.11\n", "home = /b\nversion = 3.11\n").unwrap_err();
    assert_eq!(
        (found.expected.as_str(), found.found.as_str()),
        ("`home = /a`", "says `home = /b`")
    );
    let text = found.to_string();
    assert!(
        text.contains("pool `ml`") && text.contains("touch build.rs && cargo build"),
        "{text}"
    );
    assert!(drift("home = /a\n", "home = /a\n").is_ok());
    assert!(drift("", "").is_ok());
    assert!(drift("home = /a\n", "home = /a\nmore = 1\n").is_err());
    assert!(drift("home = /a\nmore = 1\n", "home = /a\n").is_err());
    assert!(drift("home = /a\n", "home = /a").is_err());
}

#[test]
fn a_program_that_has_gone_or_has_another_length_is_drift_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("python3");
    let path: &'static str = lasting(file.to_str().unwrap().to_owned());
    let spec = spec(vec![Check::Size { path, bytes: 3 }], Vec::new());
    assert!(spec.recheck().unwrap_err().found == "is gone");
    assert!(spec.command().is_err());
    fs::write(&file, "four").unwrap();
    assert_eq!(spec.recheck().unwrap_err().found, "has 4 bytes");
    fs::write(&file, "abc").unwrap();
    spec.recheck().unwrap();
    // A success is remembered: the files are not looked at again.
    fs::remove_file(&file).unwrap();
    spec.recheck().unwrap();
}

#[test]
fn the_command_has_the_variables_of_the_environment() {
    let env = vec![
        EnvOp::Set("VIRTUAL_ENV", "/v"),
        EnvOp::Prepend("PATH", "/v/bin"),
        EnvOp::Unset("PYTHONHOME"),
    ];
    let command = spec(Vec::new(), env).command().unwrap();
    let value = |name: &str| {
        command
            .get_envs()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.map(|value| value.to_owned()))
    };
    assert_eq!(value("VIRTUAL_ENV"), Some(Some("/v".into())));
    assert_eq!(value("PYTHONHOME"), Some(None));
    let path = value("PATH").flatten().unwrap();
    let rest = std::env::var_os("PATH").unwrap();
    assert!(
        Path::new(&path).to_str().unwrap().starts_with("/v/bin:"),
        "{path:?}"
    );
    assert!(
        path.to_str().unwrap().ends_with(rest.to_str().unwrap()),
        "{path:?}"
    );
}
