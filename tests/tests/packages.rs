//! What is published: each crate with its sources, what they read, a page of its own and both licences, and nothing else.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::process::Command;

/// What Cargo adds by itself.
const CARGOS: &[&str] = &[
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
];

const ALWAYS: &[&str] = &["LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/"];

/// How the files in folders end.
const SOURCES: &[&str] = &[".rs", ".py", ".proto"];

#[test]
fn each_package_has_the_right_files_and_no_others() {
    for (package, more) in [
        ("snakepit-build", &[][..]),
        ("snakepit-macros", &[]),
        ("snakepit", &["proto/", "python/"]),
        ("cargo-snakepit", &["errors.md", "templates/"]),
    ] {
        let output = Command::new(env!("CARGO"))
            .args(["package", "--list", "--allow-dirty", "--offline"])
            .args(["--package", package])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        let listed = String::from_utf8(output.stdout).unwrap();
        let is_of = |file: &str, wanted: &str| match wanted.ends_with('/') {
            true => file.starts_with(wanted) && SOURCES.iter().any(|end| file.ends_with(end)),
            false => file == wanted,
        };
        let wanted: Vec<&str> = ALWAYS.iter().chain(more).copied().collect();
        for wanted in &wanted {
            assert!(
                listed.lines().any(|file| is_of(file, wanted)),
                "`{package}` lacks `{wanted}`:\n{listed}"
            );
        }
        for file in listed.lines().filter(|file| !CARGOS.contains(file)) {
            assert!(
                wanted.iter().any(|wanted| is_of(file, wanted)),
                "`{package}` has `{file}`"
            );
        }
    }
}
