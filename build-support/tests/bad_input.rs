//! Broken environments: each gets one error with code, cause and fix, never a panic or a hang.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use snakepit_build::Machine;
use snakepit_build::declaration::Request;
use snakepit_build::diagnostic::Diagnostic;
use snakepit_build::manifest::{Check, Resolution};
use snakepit_build::probe::Cache;
use snakepit_build::resolver::{Custom, resolve};

fn request(kind: &str, options: &[(&str, &str)]) -> Request {
    let options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Request {
        pool: "ml".to_owned(),
        kind: kind.to_owned(),
        custom: None,
        options: options.collect(),
        manager_launch: false,
        python: None,
        requires: Vec::new(),
        adapter: None,
        python_path: Vec::new(),
        env: BTreeMap::new(),
        threads: None,
        size: 1,
        startup_timeout_ms: 1000,
        execute_timeout_ms: 1000,
        shutdown_timeout_ms: 1000,
        queue_limit: 1,
    }
}

fn resolved(request: &Request, package: &Path) -> Result<Resolution, Vec<Diagnostic>> {
    resolve(
        request,
        package,
        &Custom::new(),
        &Cache::default(),
        &Machine::new(),
    )
}

fn refused(request: &Request, package: &Path) -> Diagnostic {
    let mut faults = resolved(request, package).expect_err("the environment is broken");
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

fn python() -> PathBuf {
    which::which("python3").expect("the tests need `python3`")
}

/// A venv whose interpreter is a script that does as told.
fn scripted(package: &Path, script: &str) -> Request {
    let python = package.join(".venv/bin/python3");
    fs::create_dir_all(python.parent().unwrap()).unwrap();
    fs::write(&python, script).unwrap();
    fs::set_permissions(&python, PermissionsExt::from_mode(0o755)).unwrap();
    request("venv", &[])
}

#[test]
fn a_venv_path_that_is_a_file_is_refused_at_the_option() {
    let package = tempfile::tempdir().unwrap();
    fs::write(package.path().join("file"), "").unwrap();
    let fault = refused(&request("venv", &[("venv_path", "file")]), package.path());
    assert_eq!(
        (fault.code.as_str(), fault.place.as_str()),
        ("venv_invalid", "option:venv_path")
    );
}

#[test]
fn an_interpreter_that_is_not_executable_is_named() {
    let package = tempfile::tempdir().unwrap();
    let request = scripted(package.path(), "");
    fs::set_permissions(
        package.path().join(".venv/bin/python3"),
        PermissionsExt::from_mode(0o644),
    )
    .unwrap();
    let fault = refused(&request, package.path());
    assert_eq!(fault.code, "venv_invalid");
    assert!(fault.message.contains("not executable"), "{fault:?}");
}

#[test]
fn an_interpreter_that_prints_garbage_is_quoted() {
    let package = tempfile::tempdir().unwrap();
    let fault = refused(
        &scripted(package.path(), "#!/bin/sh\necho rubbish\n"),
        package.path(),
    );
    assert_eq!(fault.code, "probe_failed");
    assert!(fault.message.contains("`rubbish`"), "{fault:?}");
}

#[test]
fn an_interpreter_that_prints_nothing_or_fails_is_refused() {
    let package = tempfile::tempdir().unwrap();
    let silent = refused(&scripted(package.path(), "#!/bin/sh\n"), package.path());
    assert!(silent.message.contains("printed nothing"), "{silent:?}");
    let failing = refused(
        &scripted(package.path(), "#!/bin/sh\necho broken >&2; exit 3\n"),
        package.path(),
    );
    assert!(
        failing.message.contains("exit status: 3") && failing.message.contains("broken"),
        "{failing:?}"
    );
}

#[test]
fn an_interpreter_that_hangs_is_killed_at_the_limit() {
    let package = tempfile::tempdir().unwrap();
    let fault = refused(
        &scripted(package.path(), "#!/bin/sh\nexec sleep 60\n"),
        package.path(),
    );
    assert_eq!(fault.code, "probe_failed");
    assert!(
        fault.message.contains("did not end within 10 s"),
        "{fault:?}"
    );
}

#[test]
fn a_pyvenv_cfg_in_latin_1_or_with_nuls_is_refused() {
    for bytes in [&b"home = /caf\xe9\n"[..], b"home = /usr\0\n"] {
        let package = tempfile::tempdir().unwrap();
        let bin = package.path().join(".venv/bin");
        fs::create_dir_all(&bin).unwrap();
        symlink(python(), bin.join("python3")).unwrap();
        fs::write(package.path().join(".venv/pyvenv.cfg"), bytes).unwrap();
        let fault = refused(&request("venv", &[]), package.path());
        assert_eq!(fault.code, "venv_invalid");
        assert!(fault.message.contains("pyvenv.cfg"), "{fault:?}");
    }
}

#[test]
fn a_folder_of_other_files_is_never_proposed_to_be_cleared() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("data")).unwrap();
    fs::write(package.path().join("data/precious"), "").unwrap();
    let fault = refused(&request("venv", &[("venv_path", "data")]), package.path());
    assert!(!fault.help.contains("--clear"), "{fault:?}");
}

#[test]
fn a_folder_is_no_interpreter() {
    let package = tempfile::tempdir().unwrap();
    let fault = refused(
        &request("system", &[("python_executable", "/usr/bin")]),
        package.path(),
    );
    assert_eq!(fault.code, "python_not_found");
    assert!(fault.message.contains("is a folder"), "{fault:?}");
}

#[test]
fn spaces_quotes_and_non_ascii_in_a_path_are_kept() {
    let parent = tempfile::tempdir().unwrap();
    let package = parent.path().join("with space 'quote' \u{e9}");
    let bin = package.join(".venv/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink(python(), bin.join("python3")).unwrap();
    let resolution = resolved(&request("venv", &[]), &package).unwrap();
    assert_eq!(Path::new(&resolution.command), bin.join("python3"));
    let missing = refused(&request("venv", &[("venv_path", "not there")]), &package);
    assert!(missing.help.contains("python3 -m venv '"), "{missing:?}");
}

#[test]
fn a_path_that_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStrExt;
    let parent = tempfile::tempdir().unwrap();
    let package = parent.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let bin = package.join(".venv/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink(python(), bin.join("python3")).unwrap();
    let fault = refused(&request("venv", &[]), &package);
    assert!(fault.message.contains("not UTF-8"), "{fault:?}");
}

#[test]
fn the_faults_of_one_pool_come_together() {
    let package = tempfile::tempdir().unwrap();
    let mut request = request("system", &[]);
    request.python = Some(">=99".to_owned());
    request.requires = vec!["no-such-distribution-here".to_owned()];
    request.adapter = Some("no_such_adapter".to_owned());
    request.python_path = vec!["nowhere".to_owned()];
    let faults = resolved(&request, package.path()).unwrap_err();
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
    let wanted = [
        "python_version_mismatch",
        "requirement_not_met",
        "python_path_not_found",
        "adapter_not_found",
    ];
    assert_eq!(codes, wanted);
}

#[test]
fn a_real_venv_freezes_its_interpreter_and_its_configuration() {
    let package = tempfile::tempdir().unwrap();
    let made = std::process::Command::new(python())
        .args(["-m", "venv", "--without-pip"])
        .arg(package.path().join(".venv"))
        .status()
        .unwrap();
    assert!(made.success());
    let resolution = resolved(&request("auto", &[]), package.path()).unwrap();
    assert_eq!(resolution.metadata.environment, "venv");
    assert_eq!(resolution.metadata.detected_by, ".venv");
    assert!(Path::new(&resolution.metadata.prefix).ends_with(".venv"));
    let is_text =
        |check: &Check| matches!(check, Check::Content { text, .. } if text.contains("home ="));
    assert!(
        resolution.checks.iter().any(is_text),
        "{:?}",
        resolution.checks
    );
}
