//! What an interpreter says of itself, beside what its own standard library says of it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use snakepit_build::probe::Interpreter;
use snakepit_build::{Host, Machine};
use snakepit_test_tools::{python, pythons};

/// The facts that the probe has from elsewhere, since these modules take longer to import than everything else.
const ASK: &str = r#"
import json, platform, sysconfig
variable, paths = sysconfig.get_config_var, sysconfig.get_paths()
print(json.dumps({
    "platform": sysconfig.get_platform(),
    "soabi": variable("SOABI") or "",
    "ext_suffix": variable("EXT_SUFFIX") or "",
    "free_threading": bool(variable("Py_GIL_DISABLED")),
    "standard_library": paths["stdlib"],
    "platform_machine": platform.machine(),
    "platform_python_implementation": platform.python_implementation(),
    "platform_release": platform.release(),
    "platform_system": platform.system(),
    "platform_version": platform.version(),
    "python_full_version": platform.python_version().rstrip("+"),
    "python_version": ".".join(platform.python_version_tuple()[:2]),
    "places": [paths["purelib"], paths["platlib"]],
}))
"#;

fn expected(python: &Path) -> Value {
    let output = Command::new(python).args(["-I", "-c", ASK]).output();
    let output = output.expect("it starts");
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

fn found(interpreter: &Interpreter, expected: &Value) -> Value {
    let mut found = json!({
        "platform": interpreter.platform,
        "soabi": interpreter.soabi,
        "ext_suffix": interpreter.ext_suffix,
        "free_threading": interpreter.free_threading,
        "standard_library": interpreter.standard_library,
    });
    let markers = interpreter.markers.iter();
    for (name, value) in markers.filter(|(name, _)| expected.get(name.as_str()).is_some()) {
        found[name] = json!(value);
    }
    let places = expected["places"].as_array().expect("it is a list").iter();
    let known = places.filter(|place| {
        let folders = &interpreter.site_packages;
        folders.iter().any(|folder| place.as_str() == Some(folder))
    });
    found["places"] = known.cloned().collect();
    found
}

#[test]
fn every_python_says_of_itself_what_its_standard_library_says() {
    let pythons = pythons();
    assert!(!pythons.is_empty());
    for python in pythons {
        let interpreter = Machine.interpreter(&python.path).expect("it answers");
        let expected = expected(&python.path);
        assert_eq!(found(&interpreter, &expected), expected, "{python:?}");
    }
}

#[test]
fn a_venv_says_of_itself_what_its_standard_library_says() {
    let folder = tempfile::tempdir().unwrap();
    for options in [&[][..], &["--system-site-packages"]] {
        let venv = folder.path().join(options.len().to_string());
        let status = Command::new(&python().path)
            .args(["-m", "venv", "--without-pip"])
            .args(options)
            .arg(&venv)
            .status();
        assert!(status.unwrap().success());
        let path = venv.join("bin/python3");
        let interpreter = Machine.interpreter(&path).expect("it answers");
        let expected = expected(&path);
        assert_eq!(found(&interpreter, &expected), expected);
    }
}
