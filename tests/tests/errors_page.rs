//! `docs/errors.md` is what the catalogue and the compiler say. `cargo xtask docs` writes it.
#![allow(
    missing_docs,
    reason = "a test program has no readers of its documentation"
)]

use std::fmt::Write;
use std::{env, fs};

use snakepit_build::Code;
use snakepit_tests::Scene;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md");

/// Set by `cargo xtask docs`.
const WRITE: &str = "SNAKEPIT_WRITE_DOCS";

#[test]
fn the_page_of_errors_is_made_of_the_catalogue_and_of_what_the_compiler_says() {
    let page = page();
    if env::var_os(WRITE).is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let written = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        written == page,
        "`docs/errors.md` is not up to date: run `cargo xtask docs`"
    );
}

fn page() -> String {
    let mut page = String::from(
        "# Errors and warnings\n\n\
         Everything that a build can report, by the code that stands in brackets behind its message. The examples are \
         what the compiler says for a package in `/app`.\n",
    );
    let scenes = Scene::all("ui/errors");
    for code in Code::ALL {
        let scene = scenes.iter().find(|scene| scene.name() == code.as_str());
        let scene = scene.unwrap_or_else(|| panic!("no source `ui/errors/{code}.rs` provokes it"));
        let title = capitalized(code.title());
        write!(
            page,
            "\n## `{code}`\n\n{title}.\n\n{}\n\n```text\n{}\n```\n\n{}\n",
            code.when(),
            example(*code, scene),
            code.mend()
        )
        .unwrap();
    }
    page
}

/// The message as the terminal shows it, at a usual place.
fn example(code: Code, scene: &Scene) -> String {
    if code.is_warning() {
        // Cargo puts the package's name before the build script's words.
        let warnings = scene.warnings();
        let [warning] = warnings.as_slice() else {
            panic!("`{code}`: one warning is wanted, not {warnings:?}");
        };
        return format!("warning: app@0.1.0: {warning}");
    }
    let said = scene.said();
    let said =
        said.unwrap_or_else(|| panic!("`{code}`: run the test `ui` with `TRYBUILD=overwrite`"));
    let path = scene.path().display().to_string();
    // What the compiler adds about the sources of `snakepit` itself says nothing to its users.
    let own = said.split("\nhelp: the trait ").next().unwrap_or_default();
    own.trim_end().replace(&path, "src/config.rs")
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + rest.as_str()
}
