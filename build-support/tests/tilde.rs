//! `~` in a path of a declaration: only a shell expands it, and no help makes a folder of that name.

mod support;

use std::fs;
use std::path::Path;

use snakepit_build::Diagnostic;
use snakepit_build::declaration::{Adapter, Request};
use support::{World, python, request};

/// The fault of a declaration that names `~/x` at a place.
fn refused(request: &Request, place: &str, home: Option<&str>, package: &Path) -> Diagnostic {
    let mut world = World::with(Some(&python()));
    let home = home.map(|home| ("HOME".to_owned(), home.into()));
    world.variables.extend(home);
    let fault = world.resolve(request, package).unwrap_err();
    assert_eq!(fault.place(), place, "{fault:?}");
    fault
}

#[test]
fn every_path_that_begins_with_it_is_told_as_the_home_folders() {
    let package = tempfile::tempdir().unwrap();
    let mut declared: Vec<(String, Request)> = [
        ("venv", "venv_path"),
        ("auto", "project_dir"),
        ("uv", "project_dir"),
        ("poetry", "project_dir"),
        ("system", "python_executable"),
        ("conda", "prefix"),
    ]
    .map(|(kind, option)| {
        (
            format!("option:{option}"),
            request(kind, &[(option, "~/x")]),
        )
    })
    .into();
    let mut add = |place: &str, change: fn(&mut Request)| {
        let mut request = request("system", &[]);
        change(&mut request);
        declared.push((place.to_owned(), request));
    };
    add("python_path:1", |request| {
        request.python_path = vec![".".to_owned(), "~/x".to_owned()];
    });
    add("server", |request| request.server = Some("~/x".to_owned()));
    add("adapter", |request| {
        request.adapter = Some(Adapter::Embed("~/x".to_owned()));
    });
    for (place, request) in &declared {
        let fault = refused(request, place, Some("/home/grace"), package.path());
        assert_eq!(fault.help(), "`~` is not expanded: write `/home/grace/x`");
        let fault = refused(request, place, None, package.path());
        assert_eq!(fault.help(), "`~` is not expanded: write the whole path");
    }
}

#[test]
fn the_home_folder_itself_and_somebody_elses_are_told_apart() {
    let package = tempfile::tempdir().unwrap();
    let help = |path: &str| {
        let request = request("venv", &[("venv_path", path)]);
        let place = "option:venv_path";
        refused(&request, place, Some("/home/grace"), package.path())
            .help()
            .to_owned()
    };
    assert_eq!(help("~"), "`~` is not expanded: write `/home/grace`");
    assert_eq!(help("~ada/x"), "`~` is not expanded: write the whole path");
    // A folder may have such a name.
    fs::create_dir(package.path().join("~")).unwrap();
    assert!(help("~").starts_with("make it again: `python3 -m venv"));
}

#[test]
fn an_environment_of_uv_is_told_alike_and_in_a_container_nobodys_home_is_named() {
    let package = tempfile::tempdir().unwrap();
    let lock = "version = 1\n\n[[package]]\nname = \"demo\"\nversion = \"1\"\nsource = { virtual = \".\" }\n";
    fs::write(package.path().join("uv.lock"), lock).unwrap();
    let uv = request("uv", &[("uv_environment", "~/x")]);
    let fault = refused(&uv, "environment", Some("/home/grace"), package.path());
    assert_eq!(fault.help(), "`~` is not expanded: write `/home/grace/x`");
    let mut request = request("docker", &[("image", "python:3")]);
    request.python_path = vec!["~/x".to_owned()];
    let fault = refused(
        &request,
        "python_path:0",
        Some("/home/grace"),
        package.path(),
    );
    assert!(
        fault
            .help()
            .starts_with("`~` is not expanded: write the absolute path"),
        "{fault:?}"
    );
}
