//! The file of an adapter that is compiled into the program: what is taken, and every fault of it.

mod support;

use std::fs;
use std::path::Path;

use snakepit_build::Diagnostic;
use snakepit_build::declaration::Adapter;
use snakepit_build::manifest::Resolution;
use support::{World, python, request};

fn embedding(package: &Path, file: &str) -> Result<Resolution, Diagnostic> {
    let mut request = request("system", &[]);
    request.adapter = Some(Adapter::Embed(file.to_owned()));
    World::with(Some(&python())).resolve(&request, package)
}

#[track_caller]
fn refused(package: &Path, file: &str, code: &str) -> Diagnostic {
    let fault = embedding(package, file).expect_err("the file cannot be embedded");
    assert_eq!((fault.code(), fault.place()), (code, "adapter"));
    fault
}

#[test]
fn the_file_of_the_package_is_named_by_its_absolute_path() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("python")).unwrap();
    let file = package.path().join("python/tools.py");
    fs::write(&file, "def f(): pass\n").unwrap();
    let resolution = embedding(package.path(), "./python/tools.py").unwrap();
    assert_eq!(resolution.embedded.as_deref(), file.to_str());
}

#[test]
fn a_missing_file_is_told_with_its_whole_path() {
    let package = tempfile::tempdir().unwrap();
    let fault = refused(package.path(), "python/tools.py", "adapter_file_not_found");
    let path = package.path().join("python/tools.py");
    assert!(
        fault.message().contains(path.to_str().unwrap()),
        "{fault:?}"
    );
}

#[test]
fn a_file_of_nearly_the_same_name_is_the_one_that_is_meant() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("python")).unwrap();
    for name in ["greetings.py", "__init__.py", "greeting.txt", "my-tools.py"] {
        fs::write(package.path().join("python").join(name), "").unwrap();
    }
    for (declared, meant) in [
        ("python/greeting.py", Some("python/greetings.py")),
        ("./python/greetings", Some("./python/greetings.py")),
        ("python/my_tools.py", None),
        ("greetings.py", None),
        ("absent/greetings.py", None),
    ] {
        let fault = refused(package.path(), declared, "adapter_file_not_found");
        let hint = meant.map(|meant| format!("did you mean `{meant}`? make it, or correct"));
        let help = hint.unwrap_or_else(|| "make it, or correct".to_owned());
        assert!(fault.help().starts_with(&help), "{fault:?}");
    }
}

#[test]
fn a_package_is_refused_since_one_file_is_wanted() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("tools")).unwrap();
    fs::write(package.path().join("tools/__init__.py"), "").unwrap();
    for declared in ["tools", "tools/__init__.py"] {
        let fault = refused(package.path(), declared, "adapter_file_invalid");
        assert!(fault.message().contains("one file"), "{fault:?}");
    }
}

#[test]
fn a_name_that_no_module_can_have_is_refused() {
    let package = tempfile::tempdir().unwrap();
    for name in [
        "my-tools.py",
        "2tools.py",
        "my.tools.py",
        "tools.txt",
        "tools",
        ".py",
    ] {
        fs::write(package.path().join(name), "").unwrap();
        let fault = refused(package.path(), name, "adapter_file_invalid");
        assert!(fault.help().contains("identifier"), "{fault:?}");
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_refused_with_the_line() {
    let package = tempfile::tempdir().unwrap();
    let text = b"# -*- coding: latin-1 -*-\nname = 'caf\xe9'\n";
    fs::write(package.path().join("tools.py"), text).unwrap();
    let fault = refused(package.path(), "tools.py", "adapter_file_invalid");
    assert!(fault.message().contains("line 2"), "{fault:?}");
}

#[test]
fn a_file_that_is_far_too_long_is_not_read() {
    let package = tempfile::tempdir().unwrap();
    let file = fs::File::create(package.path().join("tools.py")).unwrap();
    file.set_len(100 << 20).unwrap();
    let fault = refused(package.path(), "tools.py", "adapter_too_large");
    assert!(fault.message().contains("104857600"), "{fault:?}");
}
