//! `cargo snakepit doctor`: one paste for a bug report.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

mod support;

use support::{Package, ended, script};

#[test]
fn it_tells_tools_settings_and_what_is_odd_and_no_secret() {
    let package = Package::with_pools("");
    script(&package.path("bin/uv"), "#!/bin/sh\necho uv 9.9.9\n");
    script(
        &package.path("bin/docker"),
        "#!/bin/sh\necho 'no engine here' >&2\nexit 1\n",
    );
    script(
        &package.path("bin/python3"),
        "#!/bin/sh\necho Python 3.12.1\n",
    );
    let mut command = package.snakepit(&["doctor"]);
    command
        .env("PATH", format!("{}:rel", package.path("bin").display()))
        .env(
            "CARGO",
            std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        )
        .env("HOME", package.path("home"))
        .env("PYTHONPATH", package.path("home/code"))
        .env("UV_INDEX_URL", "https://user:secret@host/simple")
        .env("SNAKEPIT_PYTHON", "/usr/bin/python3");
    let ended = ended(&mut command);
    assert_eq!(ended.status, Some(0), "{ended:?}");
    for wanted in [
        "uv           uv 9.9.9",
        "docker       does not answer",
        "no engine here",
        "podman       none",
        "SNAKEPIT_PYTHON=/usr/bin/python3",
        "PYTHONPATH=~/code",
        "UV_INDEX_URL is set",
        "`PYTHONPATH` is set",
        "relative folder `rel`",
        "`python3` is a script",
    ] {
        assert!(
            ended.stdout.contains(wanted),
            "`{wanted}` is not in\n{}",
            ended.stdout
        );
    }
    assert!(!ended.stdout.contains("secret"), "{}", ended.stdout);
}
