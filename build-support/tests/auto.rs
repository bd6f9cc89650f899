//! `auto`: where it looks, which environment it takes, and what it says about that.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use snakepit_build::manifest::Metadata;
use snakepit_test_tools::{succeeds, tool};
use support::{World, python, request};
use tempfile::TempDir;

/// A tree of folders, looked at on a machine with one Python.
struct Tree {
    root: PathBuf,
    uv: Option<PathBuf>,
    _keep: TempDir,
}

impl Tree {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let tree = Self {
            root: keep.path().canonicalize().unwrap(),
            uv: None,
            _keep: keep,
        };
        fs::create_dir_all(tree.root.join("outer/app/crates/ml")).unwrap();
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn venv(&self, path: &str) {
        let args = ["-m", "venv", "--without-pip", path];
        succeeds(&python(), &args, &self.root);
    }

    fn path(&self, path: &str) -> String {
        self.root.join(path).to_str().unwrap().to_owned()
    }

    /// What `auto` finds for the package `outer/app/crates/ml`.
    fn found(&self, options: &[(&str, &str)]) -> Metadata {
        let mut world = World::with(None);
        let uv = self.uv.clone();
        world.which = Box::new(move |name| {
            if name == "uv" {
                uv.clone()
            } else {
                Some(python())
            }
        });
        let package = self.root.join("outer/app/crates/ml");
        let resolution = world.resolve(&request("auto", options), &package);
        resolution.unwrap().metadata
    }

    #[track_caller]
    fn finds(&self, folder: Option<&str>) {
        let found = self.found(&[]);
        let Some(folder) = folder else {
            assert_eq!(found.detected_by, "fallback", "{found:?}");
            assert!(!found.extra.contains_key("detected_in"), "{found:?}");
            return;
        };
        assert_eq!(found.detected_by, ".venv", "{found:?}");
        assert_eq!(found.extra["detected_in"], self.path(folder), "{found:?}");
        let prefix = Path::new(&found.prefix);
        assert_eq!(prefix, self.root.join(folder).join(".venv"));
    }
}

#[test]
fn nothing_above_the_workspace_is_looked_at_and_the_nearest_folder_wins() {
    let tree = Tree::new();
    tree.venv("outer/.venv");
    fs::create_dir_all(tree.root.join("outer/.git")).unwrap();
    tree.write(
        "outer/app/crates/ml/Cargo.toml",
        "[package]\nname = \"ml\"\n",
    );
    tree.write(
        "outer/app/Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\n",
    );
    tree.finds(None);
    tree.venv("outer/app/.venv");
    tree.finds(Some("outer/app"));
    tree.venv("outer/app/crates/.venv");
    tree.finds(Some("outer/app/crates"));
    tree.venv("outer/app/crates/ml/.venv");
    tree.finds(Some("outer/app/crates/ml"));
    // A workspace of its own ends there.
    fs::remove_dir_all(tree.root.join("outer/app/crates/ml/.venv")).unwrap();
    tree.write(
        "outer/app/crates/ml/Cargo.toml",
        "[workspace]\n[package]\nname = \"ml\"\n",
    );
    tree.finds(None);
}

#[test]
fn without_a_workspace_the_top_of_the_checkout_is_the_last_folder() {
    let tree = Tree::new();
    tree.venv("outer/.venv");
    tree.write(
        "outer/app/crates/ml/Cargo.toml",
        "[package]\nname = \"ml\"\n",
    );
    tree.write("outer/app/Cargo.toml", "[package\n");
    tree.finds(None);
    // A further working tree has a file there.
    tree.write("outer/app/.git", "gitdir: elsewhere\n");
    tree.finds(None);
    tree.venv("outer/app/.venv");
    tree.finds(Some("outer/app"));
    fs::remove_dir_all(tree.root.join("outer/app/.venv")).unwrap();
    fs::remove_file(tree.root.join("outer/app/.git")).unwrap();
    fs::create_dir(tree.root.join("outer/.git")).unwrap();
    tree.finds(Some("outer"));
}

#[test]
fn the_reasons_are_kept() {
    let tree = Tree::new();
    tree.write("outer/app/Cargo.toml", "[workspace]\n");
    let [ml, crates, app] =
        ["outer/app/crates/ml", "outer/app/crates", "outer/app"].map(|path| tree.path(path));
    assert_eq!(
        tree.found(&[]).extra["detected_why"],
        format!(
            "nothing in `{ml}`, nothing in `{crates}`, nothing in `{app}`, \
             so that the machine's own Python is taken"
        )
    );
    tree.venv("outer/app/crates/venv");
    assert_eq!(
        tree.found(&[]).extra["detected_why"],
        format!(
            "nothing in `{ml}`, `venv` in `{crates}`, where there is no `uv.lock`, no `poetry.lock`, no `.venv`"
        )
    );
    // A folder that is named is the one that is meant.
    let named = tree.found(&[("project_dir", ".")]);
    assert_eq!(named.detected_by, "fallback");
    let why = &named.extra["detected_why"];
    assert!(why.starts_with(&format!("nothing in `{ml}`, so")), "{why}");
    let declared = World::with(Some(&python()));
    let declared = declared
        .resolve(&request("system", &[]), &tree.root)
        .unwrap();
    assert!(!declared.metadata.extra.contains_key("detected_why"));
}

#[test]
fn a_member_of_a_uv_workspace_has_its_roots_environment_and_is_held_to_its_own_part() {
    let Some(uv) = tool("uv") else { return };
    let mut tree = Tree::new();
    tree.uv = Some(uv.clone());
    let project = |name: &str, more: &str| {
        format!(
            "[project]\nname = \"{name}\"\nversion = \"1\"\nrequires-python = \">=3.8\"\n{more}"
        )
    };
    tree.write("outer/app/Cargo.toml", "[workspace]\n");
    let workspace = "[tool.uv.workspace]\nmembers = [\"crates/ml\"]\n";
    tree.write("outer/app/pyproject.toml", &project("app", workspace));
    tree.write("outer/app/crates/ml/pyproject.toml", &project("ml", ""));
    let app = tree.root.join("outer/app");
    let python = python();
    let args = ["sync", "--quiet", "--python", python.to_str().unwrap()];
    succeeds(&uv, &args, &app);
    let found = tree.found(&[]);
    assert_eq!(found.environment, "uv");
    assert_eq!(Path::new(&found.prefix), app.join(".venv"));
    assert_eq!(found.extra["detected_in"], tree.path("outer/app"));
    assert_eq!(found.extra["project_dir"], tree.path("outer/app/crates/ml"));
    let why = &found.extra["detected_why"];
    assert!(why.ends_with("is a member of it"), "{why}");

    // What is no member is in the workspace's folder all the same, and has the root's own part.
    tree.write("outer/app/pyproject.toml", &project("app", ""));
    succeeds(&uv, &args, &app);
    let found = tree.found(&[]);
    assert_eq!(found.extra["project_dir"], tree.path("outer/app"));
}
