//! Files that the program's user may not read: the error says so, and where the way is closed, and does not speak of a
//! change or of a module that is not there. Root may read everything, so that the program is another user here.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use snakepit::{Check, Fact, PoolConfig, SpawnSpec, SpecError, snakepit_pools};
use snakepit_test_tools::{pythons, skip, unprivileged};
use snakepit_tests::copy;

#[snakepit_pools]
#[derive(Default)]
pub struct Pools {
    #[pool(environment = system, adapter = "tools", python_path = ["python"])]
    pub tools: PoolConfig,
}

/// Tells this program to be the other user, and in which folder.
const OTHER: &str = "SNAKEPIT_TESTS_OTHER_USER";

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn text(path: &Path) -> &'static str {
    path.to_str().unwrap().to_owned().leak()
}

/// A folder that the other user may enter, with a copy of this program, since the target folder may be closed.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    mode(folder.path(), 0o755);
    fs::copy(
        std::env::current_exe().unwrap(),
        folder.path().join("program"),
    )
    .unwrap();
    folder
}

/// Runs one test of this program as another user, in this folder. False, said aloud, where none can be had.
#[track_caller]
fn run(test: &str, folder: &Path) -> bool {
    let mut program = match unprivileged(folder.join("program")) {
        Ok(program) => program,
        Err(lacking) => {
            skip(&lacking);
            return false;
        }
    };
    let output = program
        .args(["--exact", "--nocapture", test])
        .env(OTHER, folder)
        .current_dir("/")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    true
}

#[test]
fn an_environment_that_is_closed_to_the_user_did_not_change() {
    let Some(folder) = std::env::var_os(OTHER) else {
        let folder = folder();
        let place = |name: &str| folder.path().join(name);
        for name in ["closed/python/bin", ".venv/bin"] {
            fs::create_dir_all(place(name)).unwrap();
        }
        fs::write(place("closed/python/bin/python3"), "abc").unwrap();
        symlink("../closed/python", place(".venv/base")).unwrap();
        symlink("../base/bin/python3", place(".venv/bin/python")).unwrap();
        fs::write(place(".venv/pyvenv.cfg"), "home = /a\n").unwrap();
        mode(&place(".venv/pyvenv.cfg"), 0);
        mode(&place("closed"), 0);
        run(
            "an_environment_that_is_closed_to_the_user_did_not_change",
            folder.path(),
        );
        // Else it could not be removed by a user who is not root.
        return mode(&place("closed"), 0o700);
    };
    let folder = Path::new(&folder);
    let python = text(&folder.join(".venv/bin/python"));
    let settings = text(&folder.join(".venv/pyvenv.cfg"));
    let mut checks = vec![
        Check::Size {
            path: python,
            bytes: 3,
        },
        Check::Content {
            path: settings,
            text: "home = /a\n",
        },
    ];
    let drift = |checks: &[Check]| {
        let spec = SpawnSpec {
            checks: checks.to_vec().leak(),
            ..copy(Pools::TOOLS)
        };
        match spec.recheck() {
            Err(SpecError::Drift(drift)) => drift,
            other => panic!("{other:?}"),
        }
    };
    let closed = drift(&checks);
    assert_eq!(closed.changes[0].fact, Fact::Access(python.to_owned()));
    let said = closed.to_string();
    let closed_folder = folder.canonicalize().unwrap().join("closed");
    let wanted = format!(
        "pool `tools`: the Python environment is closed to this user: `{python}` cannot be read by this user, \
         who may not enter `{}`: Permission denied (os error 13); `{settings}` cannot be read by this user: \
         Permission denied (os error 13); {}",
        closed_folder.display(),
        closed.help(),
    );
    assert_eq!(said, wanted);
    assert!(!closed.help().contains("touch build.rs"), "{said}");
    // With a change beside it, it is a change.
    checks.push(Check::Size {
        path: "/nowhere/python3",
        bytes: 3,
    });
    let said = drift(&checks).to_string();
    for wanted in [
        "changed after the build",
        "was readable, now it cannot be read",
        "touch build.rs",
    ] {
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn a_folder_of_python_path_that_is_closed_is_named_where_the_adapter_is_not_found() {
    let Some(folder) = std::env::var_os(OTHER) else {
        let folder = folder();
        // One that the other user can start, not only whoever becomes that user.
        let can_start = |python: &Path| {
            let command = unprivileged("sh");
            command.is_ok_and(|mut command| {
                command.args(["-c", "exec \"$0\" -c ''"]).arg(python);
                let output = command.current_dir("/").output();
                output.is_ok_and(|output| output.status.success())
            })
        };
        let Some(python) = pythons().into_iter().find(|python| can_start(&python.path)) else {
            return skip("a Python that another user can start");
        };
        symlink(&python.path, folder.path().join("python3")).unwrap();
        for (name, closed) in [("unread", 0o111), ("unentered", 0o444), ("open", 0o755)] {
            let place = folder.path().join(name);
            fs::create_dir(&place).unwrap();
            mode(&place, closed);
        }
        run(
            "a_folder_of_python_path_that_is_closed_is_named_where_the_adapter_is_not_found",
            folder.path(),
        );
        for name in ["unread", "unentered"] {
            mode(&folder.path().join(name), 0o755);
        }
        return;
    };
    let place = |name: &str| text(&Path::new(&folder).join(name));
    let spec: &'static SpawnSpec = Box::leak(Box::new(SpawnSpec {
        command: place("python3"),
        python_path: vec![place("unread"), place("unentered"), place("open")].leak(),
        ..copy(Pools::TOOLS)
    }));
    let error = snakepit::blocking::Pool::start(spec, &PoolConfig::default()).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("No module named 'tools'"), "{error}");
    for closed in ["unread", "unentered"] {
        let wanted = format!(
            "`{}` of `python_path` cannot be read by this user",
            place(closed)
        );
        assert!(error.contains(&wanted), "{error}");
    }
    assert!(!error.contains(place("open")), "{error}");
}
