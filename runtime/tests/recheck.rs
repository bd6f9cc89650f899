//! The re-check against files that change.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use snakepit::{
    Affinity, Anchor, Change, Check, Defaults, Drift, EnvOp, Fact, Fingerprint, Memo, Metadata,
    Profile, Recheck, SpawnSpec, SpecError, Supervision,
};

fn lasting<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn spec(checks: Vec<Check>, env: Vec<EnvOp>) -> &'static SpawnSpec {
    lasting(SpawnSpec {
        env: lasting(env),
        ..forgetful(checks)
    })
}

fn forgetful(checks: Vec<Check>) -> SpawnSpec {
    SpawnSpec {
        pool: "ml",
        command: "/bin/sh",
        args: &[],
        env: &[],
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
        anchor: None,
        fingerprint: Fingerprint::default(),
        adapter: None,
        embedded: None,
        tools: &[],
        transport: snakepit::Transport::Sockets,
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
    }
}

/// What a file that held `before` and holds `now` is reported as.
fn drift(before: &'static str, now: &str) -> Result<(), SpecError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pyvenv.cfg");
    fs::write(&path, now).unwrap();
    let path = lasting(path.to_str().unwrap().to_owned());
    spec(vec![Check::Content { path, text: before }], Vec::new()).recheck()
}

/// The one fact that changed.
fn the_change(error: SpecError) -> Change {
    let SpecError::Drift(Drift { mut changes, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.remove(0)
}

#[test]
fn the_first_line_that_changed_is_named_with_what_to_do() {
    let found = drift("home = /a\nversion = 3.11\n", "home = /b\nversion = 3.11\n").unwrap_err();
    let text = found.to_string();
    let change = the_change(found);
    assert_eq!(
        (change.expected.as_str(), change.found.as_str()),
        ("`home = /a`", "says `home = /b`")
    );
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
    assert_eq!(the_change(spec.recheck().unwrap_err()).found, "is gone");
    assert!(spec.command().is_err());
    fs::write(&file, "four").unwrap();
    let found = the_change(spec.recheck().unwrap_err()).found;
    assert_eq!(found, "has 4 bytes");
    fs::write(&file, "abc").unwrap();
    spec.recheck().unwrap();
    // A success is remembered: the files are not looked at again.
    fs::remove_file(&file).unwrap();
    spec.recheck().unwrap();
    // Who wants to know it now is told.
    let found = the_change(spec.recheck_with(Recheck::Quick).unwrap_err()).found;
    assert_eq!(found, "is gone");
    spec.recheck_with(Recheck::Off).unwrap();
}

#[test]
fn all_that_changed_is_told_at_once() {
    let check = |path| Check::Size { path, bytes: 1 };
    let spec = spec(vec![check("/nowhere/a"), check("/nowhere/b")], Vec::new());
    let Err(SpecError::Drift(drift)) = spec.recheck() else {
        panic!("nothing is there");
    };
    assert_eq!(drift.changes.len(), 2);
    let text = drift.to_string();
    let wanted =
        "`/nowhere/a` was there, now it is gone; `/nowhere/b` was there, now it is gone; restore";
    assert!(text.contains(wanted), "{text}");
}

#[test]
fn a_folder_that_moves_is_looked_for_where_the_program_is() {
    let program = std::env::current_exe().unwrap();
    let name = format!(
        "{{anchor}}/{}",
        program.file_name().unwrap().to_str().unwrap()
    );
    let bytes = fs::metadata(&program).unwrap().len();
    let path: &'static str = lasting(name);
    let anchored = |anchor, path| SpawnSpec {
        anchor: Some(anchor),
        command: path,
        ..forgetful(vec![Check::Size { path, bytes }])
    };
    let spec = anchored(Anchor::Exe { above: 0 }, path);
    spec.recheck().unwrap();
    assert_eq!(spec.command().unwrap().get_program(), program);
    let spec = anchored(Anchor::Exe { above: 1 }, path);
    assert!(matches!(spec.recheck(), Err(SpecError::Drift(_))));
    let spec = anchored(Anchor::Exe { above: 1000 }, path);
    let text = spec.recheck().unwrap_err().to_string();
    assert!(text.contains("too near to the top"), "{text}");
    let spec = anchored(Anchor::Env("SNAKEPIT_TEST_UNSET"), path);
    let text = spec.command().unwrap_err().to_string();
    assert!(
        text.contains("`SNAKEPIT_TEST_UNSET` is to name the folder"),
        "{text}"
    );
    assert!(text.contains("but it is not set"), "{text}");
    // One that the shell leaves to everybody, and that is no path.
    let spec = anchored(Anchor::Env("CARGO_PKG_NAME"), path);
    let text = spec.command().unwrap_err().to_string();
    assert!(
        text.contains("it is `snakepit`, which is no absolute path"),
        "{text}"
    );
}

#[test]
fn how_a_virtual_environment_was_made_does_not_matter_where_it_is_moved() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pyvenv.cfg");
    let path: &'static str = lasting(file.to_str().unwrap().to_owned());
    let text = "home = /usr/bin\nversion = 3.11.2\n";
    let spec = forgetful(vec![Check::Settings { path, text }]);
    fs::write(
        &file,
        "home = /usr/bin\nversion = 3.11.2\ncommand = /x -m venv /a\n",
    )
    .unwrap();
    spec.recheck_with(Recheck::Quick).unwrap();
    fs::write(&file, "home = /usr/local/bin\nversion = 3.11.2\n").unwrap();
    let change = the_change(spec.recheck_with(Recheck::Quick).unwrap_err());
    assert_eq!(change.found, "says `home = /usr/local/bin`");
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

/// A spec whose interpreter is a script of the shell: whatever it is asked, it says this.
fn answering(answer: &str, fingerprint: Fingerprint) -> SpawnSpec {
    let script: &'static str = lasting(answer.to_owned());
    SpawnSpec {
        args: lasting(["-c", script]),
        fingerprint,
        ..forgetful(Vec::new())
    }
}

/// What the build saw is what the interpreter says.
const SAME: &str = r"printf 'banner\nsnakepit:version\t3.11.2\nsnakepit:implementation\tcpython\n'
printf 'snakepit:abi\tcpython-311\nsnakepit:prefix\t/p\nsnakepit:base_prefix\t/p\n'";

const END: &str = "echo snakepit:end";

const FINGERPRINT: Fingerprint = Fingerprint {
    abi: "cpython-311",
    distributions: Some("demo 1.0\nnumpy 2.1.0\n"),
    lock_files: &[("/app/uv.lock", "sha256:00")],
};

#[test]
fn the_interpreter_is_asked_for_every_distribution() {
    let thorough = |distributions: &str| {
        let answer = format!("{SAME}\nprintf '{distributions}'\n{END}");
        answering(&answer, FINGERPRINT).recheck_with(Recheck::Thorough)
    };
    let line = |name, version| format!(r"snakepit:distribution\t{name}\t{version}\n");
    let (demo, numpy) = (line("demo", "1.0"), line("numpy", "2.1.0"));
    thorough(&format!("{demo}{numpy}")).unwrap();
    for (said, name, expected, found) in [
        (demo.clone(), "numpy", "`2.1.0`", "is gone"),
        (numpy.clone(), "demo", "`1.0`", "is gone"),
        (
            format!("{}{numpy}", line("demo", "1.1")),
            "demo",
            "`1.0`",
            "is `1.1`",
        ),
        (
            format!("{demo}{}{numpy}", line("more", "3")),
            "more",
            "not installed",
            "is `3`",
        ),
        (
            format!("{demo}{numpy}{}", line("zope", "3")),
            "zope",
            "not installed",
            "is `3`",
        ),
    ] {
        let change = the_change(thorough(&said).unwrap_err());
        assert_eq!(change.fact, Fact::Distribution(name.to_owned()));
        assert_eq!(
            (change.expected.as_str(), change.found.as_str()),
            (expected, found)
        );
    }
}

#[test]
fn the_interpreter_is_asked_who_it_is_and_for_its_lock_files() {
    let known = r"printf 'snakepit:distribution\tdemo\t1.0\nsnakepit:distribution\tnumpy\t2.1.0\n'";
    let thorough = |more: &str, from: &str, to: &str| {
        let answer = format!("{SAME}\n{known}\n{more}\n{END}").replacen(from, to, 1);
        answering(&answer, FINGERPRINT).recheck_with(Recheck::Thorough)
    };
    for (from, to, fact) in [
        ("3.11.2", "3.11.9", Fact::Version),
        ("tcpython\\n", "tpypy\\n", Fact::Implementation),
        ("cpython-311\\n", "cpython-311d\\n", Fact::Abi),
        ("prefix\\t/p", "prefix\\t/q", Fact::Prefix),
        ("base_prefix\\t/p", "base_prefix\\t/q", Fact::BasePrefix),
    ] {
        let change = the_change(thorough("", from, to).unwrap_err());
        assert_eq!(change.fact, fact);
    }
    let file = |digest| format!(r"printf 'snakepit:lock_file\t/app/uv.lock\tsha256:{digest}\n'");
    thorough(&file("00"), "", "").unwrap();
    // It need not come along.
    thorough("", "", "").unwrap();
    let change = the_change(thorough(&file("01"), "", "").unwrap_err());
    assert_eq!(change.fact, Fact::LockFile("/app/uv.lock".to_owned()));
}

#[test]
fn an_interpreter_that_does_not_answer_is_drift() {
    for (answer, found) in [
        (
            "echo 'no module named encodings' >&2; exit 1",
            "says `no module named encodings`",
        ),
        ("exit 3", "gives no answer"),
        (SAME, "gives no answer"),
    ] {
        let spec = answering(answer, Fingerprint::default());
        let change = the_change(spec.recheck_with(Recheck::Thorough).unwrap_err());
        assert_eq!(change.fact, Fact::Interpreter("/bin/sh".to_owned()));
        assert!(change.found.contains(found), "{change:?}");
    }
    let spec = SpawnSpec {
        command: "/nowhere/python3",
        ..forgetful(Vec::new())
    };
    let change = the_change(spec.recheck_with(Recheck::Thorough).unwrap_err());
    assert!(change.found.contains("cannot be started"), "{change:?}");
}
