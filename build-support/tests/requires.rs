//! `requires`: what pip installed into a real virtual environment, held against requirements of every form.

mod support;

use std::path::PathBuf;
use std::process::Command;

use snakepit_build::Diagnostic;
use snakepit_build::cache::Cache;
use snakepit_build::resolver::{Custom, resolve};
use snakepit_test_tools::succeeds;
use support::wheels::wheel;
use support::{World, python, request};
use tempfile::TempDir;

/// A package with a virtual environment, and wheels that pip finds.
struct Site {
    folder: PathBuf,
    _keep: TempDir,
}

impl Site {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let site = Self {
            folder: keep.path().canonicalize().unwrap(),
            _keep: keep,
        };
        succeeds(&python(), &["-m", "venv", ".venv"], &site.folder);
        site
    }

    fn wheel(&self, name: &str, version: &str, headers: &[&str]) -> PathBuf {
        wheel(&self.folder.join("wheels"), name, version, headers)
    }

    fn python(&self, args: &[&str]) -> String {
        let output = Command::new(self.folder.join(".venv/bin/python3"))
            .args(args)
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.folder.join("wheels"))
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn pip(&self, args: &[&str]) {
        self.python(&[&["-m", "pip"], args].concat());
    }

    fn faults(&self, requires: &[&str]) -> Vec<Diagnostic> {
        let mut request = request("venv", &[]);
        request.requires = requires.iter().map(|&text| text.to_owned()).collect();
        let world = World::with(None);
        let probes = Cache::default();
        let resolved = resolve(&request, &self.folder, &Custom::new(), &probes, &world);
        resolved.err().unwrap_or_default()
    }

    #[track_caller]
    fn fault(&self, requirement: &str, code: &str) -> Diagnostic {
        let mut faults = self.faults(&[requirement]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert_eq!(faults[0].code(), code, "{faults:?}");
        assert_eq!(faults[0].place(), "requires:0");
        faults.remove(0)
    }

    /// Runs the command of a help, word by word.
    fn follow(&self, help: &str) {
        let command = help
            .strip_prefix("run `")
            .and_then(|rest| rest.strip_suffix('`'));
        let shell = Command::new("sh")
            .args(["-c", command.unwrap()])
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.folder.join("wheels"))
            .output()
            .unwrap();
        assert!(shell.status.success(), "{shell:?}");
    }
}

#[test]
fn an_extra_demands_what_its_distribution_needs_for_it_and_the_fix_mends_it() {
    let site = Site::new();
    site.wheel("alpha", "1.0", &[]);
    site.wheel("alpha", "2.0", &[]);
    site.wheel("beta", "1.0", &[]);
    site.wheel(
        "Demo_App",
        "1.5",
        &[
            "Provides-Extra: fast",
            "Provides-Extra: all",
            "Requires-Dist: alpha>=2; extra == 'fast'",
            "Requires-Dist: windows-only; extra == 'fast' and sys_platform == 'win32'",
            "Requires-Dist: beta; extra == 'all'",
            "Requires-Dist: demo-app[fast]; extra == 'all'",
        ],
    );
    let wanted = "demo-app[all]>=1; python_version >= '3'";
    let fault = site.fault(wanted, "requirement_not_installed");
    assert!(
        fault
            .message()
            .starts_with("wants `demo-app[all]>=1`, which is not installed"),
        "{fault:?}"
    );
    site.pip(&["install", "--quiet", "--no-deps", "demo-app", "alpha==1.0"]);
    assert!(site.faults(&["demo.app>=1.5,<2", "alpha"]).is_empty());
    let faults = site.faults(&[wanted]);
    let said: Vec<(&str, bool)> = faults
        .iter()
        .map(|fault| {
            (
                fault.code(),
                fault.message().contains("`alpha>=2`, but alpha 1.0"),
            )
        })
        .collect();
    let told = [
        ("requirement_not_met", true),
        ("requirement_not_installed", false),
    ];
    assert_eq!(said, told, "{faults:?}");
    site.follow(faults[0].help());
    assert!(site.faults(&[wanted]).is_empty());

    let fault = site.fault("demo-app[fsat]", "requirement_extra_unknown");
    assert_eq!(fault.help(), "it has fast, all");
}

#[test]
fn everything_that_can_be_wrong_with_a_requirement_is_told_apart() {
    let site = Site::new();
    site.wheel("alpha", "1.0", &[]);
    site.pip(&["install", "--quiet", "alpha"]);
    for (requirement, code) in [
        ("alpha>=", "requirement_invalid"),
        ("alpha; python_version", "requirement_invalid"),
        ("alpha; python >= '3'", "requirement_marker_unknown"),
        ("absent", "requirement_not_installed"),
        ("alpha>=2", "requirement_not_met"),
        ("alpha[x]", "requirement_extra_unknown"),
    ] {
        site.fault(requirement, code);
    }
    assert!(site.faults(&["absent; sys_platform == 'win32'"]).is_empty());
}

#[test]
fn an_address_is_held_against_the_one_that_pip_wrote_down() {
    let site = Site::new();
    let file = site.wheel("alpha", "1.0", &[]);
    let url = format!("alpha @ file://{}", file.display());
    site.fault(&url, "requirement_not_installed");
    site.pip(&["install", "--quiet", &url]);
    assert!(site.faults(&[&url]).is_empty());
    let other = site.folder.join("other");
    let other = format!(
        "alpha @ file://{}",
        wheel(&other, "alpha", "1.0", &[]).display()
    );
    let fault = site.fault(&other, "requirement_not_met");
    assert!(
        fault.message().contains("but alpha 1.0 from `file://"),
        "{fault:?}"
    );
    site.follow(fault.help());
    assert!(site.faults(&[&other]).is_empty());
}

#[test]
fn markers_hold_where_the_environments_own_pip_says_so() {
    let site = Site::new();
    let mut markers: Vec<String> = Vec::new();
    for variable in [
        "python_version",
        "python_full_version",
        "implementation_version",
    ] {
        for operator in ["<", "<=", "==", "!=", ">=", ">", "~="] {
            for version in ["3.8", "3.9.1", "3.10", "3.11", "3.12.0", "4.0"] {
                markers.push(format!("{variable} {operator} '{version}'"));
                markers.push(format!("'{version}' {operator} {variable}"));
            }
        }
        markers.push(format!("{variable} == '3.*'"));
        markers.push(format!("{variable} in '3.8 3.9 3.10 3.11 3.12 3.13 3.14'"));
    }
    for (variable, value) in [
        ("os_name", "posix"),
        ("sys_platform", "linux"),
        ("platform_machine", "x86_64"),
        ("platform_system", "Linux"),
        ("platform_python_implementation", "CPython"),
        ("implementation_name", "cpython"),
        ("platform_version", "#1"),
    ] {
        for operator in ["==", "!=", "in", "not in"] {
            markers.push(format!("{variable} {operator} '{value}'"));
            markers.push(format!("'{value}' {operator} {variable} and extra == ''"));
            markers.push(format!(
                "os_name == 'nt' or ({variable} {operator} 'other' and extra != 'x')"
            ));
        }
    }
    let script = "import json, sys; from pip._vendor.packaging.markers import Marker
print(json.dumps([Marker(text).evaluate({'extra': ''}) for text in json.loads(sys.argv[1])]))";
    let asked = serde_json::to_string(&markers).unwrap();
    let holds: Vec<bool> = serde_json::from_str(&site.python(&["-c", script, &asked])).unwrap();
    let requires: Vec<String> = markers
        .iter()
        .map(|text| format!("absent; {text}"))
        .collect();
    let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
    let faults = site.faults(&requires);
    for (index, (text, holds)) in markers.iter().zip(&holds).enumerate() {
        let place = format!("requires:{index}");
        let demanded = faults.iter().any(|fault| fault.place() == place);
        assert_eq!(demanded, *holds, "{text}");
    }
    assert!(holds.contains(&true) && holds.contains(&false));
}
