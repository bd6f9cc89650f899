//! `init`: what a package needs for its first pool. Everything is announced before anything is written, and what is
//! there already is left as it is.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, TargetKind};
use clap_cargo::style::{CONTEXT, GOOD, HEADER};
use pathdiff::diff_paths;
use snakepit_build::package::{Source, Sources};
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

use crate::args::Init;
use crate::failure::Failure;
use crate::output::Output;
use crate::package::{self, BUILD, RUNTIME};

const MAIN: &str = include_str!("../templates/main.rs");
const WORKERS: &str = include_str!("../templates/workers.rs");
const SCRIPT: &str = include_str!("../templates/build.rs");
const TOOLS: &str = include_str!("../templates/tools.py");

/// What `cargo new` writes: nobody's work is lost with it.
const NEW: &str = "fn main() {\n    println!(\"Hello, world!\");\n}\n";

/// One step, and what is to be written for it.
enum Step {
    /// It is there already.
    There { path: PathBuf, what: String },
    /// A new file, or a new text of one.
    Write {
        path: PathBuf,
        what: String,
        text: String,
    },
}

pub(crate) fn run(init: &Init, output: &mut Output) -> Result<bool, Failure> {
    let metadata = package::metadata(&init.manifest)?;
    let members = metadata.workspace_packages();
    let chosen = match &init.package {
        Some(name) => {
            let found = members.iter().find(|package| *package.name == *name);
            found
                .copied()
                .ok_or_else(|| Failure::usage(format!("no package `{name}` in the workspace")))?
        }
        None => match (package::own(&metadata, &init.manifest), &members[..]) {
            (Some(own), _) => own,
            (None, [only]) => only,
            (None, _) => {
                return Err(Failure::usage(
                    "the workspace has several packages: name one with `-p`",
                ));
            }
        },
    };
    let steps = steps(chosen, init.path.as_deref())?;
    let folder = folder(chosen);
    output.line(format!(
        "{HEADER}{}{HEADER:#} {} {CONTEXT}({}){CONTEXT:#}",
        chosen.name,
        chosen.version,
        folder.display()
    ));
    for step in &steps {
        let (verb, path, what) = match step {
            Step::There { path, what } => ("there", path, what),
            Step::Write { path, what, .. } if path.exists() => ("change", path, what),
            Step::Write { path, what, .. } => ("create", path, what),
        };
        let path = path
            .strip_prefix(&folder)
            .unwrap_or(path)
            .display()
            .to_string();
        output.line(format!("  {GOOD}{verb:<6}{GOOD:#} {path:<16} {what}"));
    }
    let writes = steps.iter().filter_map(|step| match step {
        Step::There { .. } => None,
        Step::Write { path, text, .. } => Some((path, text)),
    });
    let writes: Vec<_> = writes.collect();
    if writes.is_empty() {
        output.line("nothing is to be done");
        return Ok(true);
    }
    if init.dry_run {
        output.line("nothing was changed: `--dry-run`");
        return Ok(true);
    }
    // What is announced is read before it happens.
    output.write()?;
    let manifest = chosen.manifest_path.as_std_path();
    for (path, text) in writes {
        let before = read(path)?;
        write(path, text)?;
        // First of all, while there is one file to put back.
        if path == manifest
            && init.path.is_none()
            && let Err(said) = package::resolved(manifest)
        {
            write(path, &before.unwrap_or_default())?;
            return Err(Failure::failed(format!(
                "Cargo does not find the crates, and nothing was changed: name the folder of Snakepit's sources with \
                 `--path`; Cargo says:\n{said}"
            )));
        }
    }
    output.line("now `cargo snakepit check` tells which Python the workers get, and `cargo build` freezes it");
    Ok(true)
}

fn folder(package: &cargo_metadata::Package) -> PathBuf {
    let folder = package
        .manifest_path
        .parent()
        .expect("a manifest stands in a folder");
    folder.as_std_path().to_owned()
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed =
        |error| Failure::failed(format!("`{}` cannot be written: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

/// A file's text; `None` where there is none.
fn read(path: &Path) -> Result<Option<String>, Failure> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::failed(format!(
            "`{}` cannot be read: {error}",
            path.display()
        ))),
    }
}

fn steps(package: &cargo_metadata::Package, path: Option<&Path>) -> Result<Vec<Step>, Failure> {
    let folder = folder(package);
    let mut steps = vec![
        dependencies(package, path)?,
        build_script(package, &folder)?,
    ];
    if let Some(place) = declared(&folder)? {
        steps.push(Step::There {
            path: place,
            what: "declares pools".to_owned(),
        });
        return Ok(steps);
    }
    let root = root(package)?;
    // A module's file stands beside the one that names it.
    let workers = root.with_file_name("workers.rs");
    if workers.exists() {
        let message = format!(
            "`{}` is there and declares no pool: nothing was changed",
            workers.display()
        );
        return Err(Failure::failed(message));
    }
    // The struct comes last: where it stands, the rest does, also if something was in the way before.
    let tools = folder.join("python/tools.py");
    steps.push(match read(&tools)? {
        Some(_) => Step::There {
            path: tools,
            what: "is the adapter".to_owned(),
        },
        None => Step::Write {
            path: tools,
            what: "the adapter, with the tool `greet`".to_owned(),
            text: TOOLS.to_owned(),
        },
    });
    let text = read(&root)?.unwrap_or_default();
    let is_library = root.file_name().is_some_and(|name| name == "lib.rs");
    steps.push(if text.contains("mod workers;") {
        Step::There {
            path: root,
            what: "names the module `workers`".to_owned(),
        }
    } else if text.replace("\r\n", "\n") == NEW {
        Step::Write {
            path: root,
            what: "starts the pool and calls a tool of it".to_owned(),
            text: MAIN.to_owned(),
        }
    } else {
        Step::Write {
            path: root,
            what: match is_library {
                true => "the line `pub mod workers;`".to_owned(),
                false => "the line `mod workers;`".to_owned(),
            },
            text: with_module(&text, is_library),
        }
    });
    steps.push(Step::Write {
        path: workers,
        what: "a struct with one pool".to_owned(),
        text: WORKERS.to_owned(),
    });
    Ok(steps)
}

/// The file that names the modules of the program, else of the library.
fn root(package: &cargo_metadata::Package) -> Result<PathBuf, Failure> {
    let of = |kind: TargetKind| {
        let mut targets = package.targets.iter();
        targets.find(|target| target.kind.contains(&kind))
    };
    let target = of(TargetKind::Bin).or_else(|| of(TargetKind::Lib));
    let target = target.ok_or_else(|| {
        Failure::failed(format!(
            "the package `{}` has neither a program nor a library",
            package.name
        ))
    })?;
    Ok(target.src_path.clone().into_std_path_buf())
}

/// The first source that declares pools.
fn declared(folder: &Path) -> Result<Option<PathBuf>, Failure> {
    for source in Sources::read(folder, &[]).files {
        let Source {
            path, declarations, ..
        } = source;
        match declarations {
            Ok(declarations) if !declarations.is_empty() => return Ok(Some(path)),
            Ok(_) => {}
            Err(unread) => {
                let line = unread.line().map(|line| format!(", line {line},"));
                return Err(Failure::failed(format!(
                    "`{}`{} {unread}",
                    path.display(),
                    line.unwrap_or_default()
                )));
            }
        }
    }
    Ok(None)
}

/// `Cargo.toml` with both dependencies.
fn dependencies(package: &cargo_metadata::Package, path: Option<&Path>) -> Result<Step, Failure> {
    let manifest = package.manifest_path.clone().into_std_path_buf();
    let has = |name: &str, kind| {
        let mut dependencies = package.dependencies.iter();
        dependencies.any(|dependency| dependency.name == name && dependency.kind == kind)
    };
    let wanted = [
        ("dependencies", RUNTIME, "runtime", DependencyKind::Normal),
        (
            "build-dependencies",
            BUILD,
            "build-support",
            DependencyKind::Build,
        ),
    ];
    let mut added = Vec::new();
    let text = read(&manifest)?.unwrap_or_default();
    let invalid =
        |error: toml_edit::TomlError| Failure::failed(format!("`{}`: {error}", manifest.display()));
    let mut document: DocumentMut = text.parse().map_err(invalid)?;
    for (section, name, folder, kind) in wanted {
        if has(name, kind) {
            continue;
        }
        let value = match path {
            // As people write it where there is nothing but a version.
            None => Value::from(env!("CARGO_PKG_VERSION")),
            Some(checkout) => {
                let crate_folder = checkout.join(folder);
                let crate_folder = crate_folder.canonicalize().map_err(|error| {
                    Failure::usage(format!(
                        "`--path`: no crate `{name}` at `{}`: {error}",
                        crate_folder.display()
                    ))
                })?;
                // As `cargo add` writes it: a package beside the sources may move with them.
                let folder = self::folder(package).canonicalize();
                let shown = folder.ok().and_then(|from| diff_paths(&crate_folder, from));
                let shown = shown.as_deref().unwrap_or(&crate_folder);
                let text = shown.to_str().ok_or_else(|| {
                    Failure::usage(format!("`--path`: `{}` is not UTF-8", shown.display()))
                })?;
                let mut dependency = InlineTable::new();
                dependency.insert("path", text.into());
                Value::InlineTable(dependency)
            }
        };
        let table = document
            .entry(section)
            .or_insert_with(|| Item::Table(Table::new()));
        let table = table.as_table_like_mut().ok_or_else(|| {
            Failure::failed(format!("`{}`: `{section}` is no table", manifest.display()))
        })?;
        table.insert(name, Item::Value(value));
        added.push(format!("`{name}` in `[{section}]`"));
    }
    Ok(if added.is_empty() {
        Step::There {
            path: manifest,
            what: format!("depends on `{RUNTIME}` and `{BUILD}`"),
        }
    } else {
        Step::Write {
            path: manifest,
            what: added.join(", "),
            text: document.to_string(),
        }
    })
}

/// The build script, with a call of `emit`.
fn build_script(package: &cargo_metadata::Package, folder: &Path) -> Result<Step, Failure> {
    let is_script =
        |target: &&cargo_metadata::Target| target.kind.contains(&TargetKind::CustomBuild);
    let Some(target) = package.targets.iter().find(is_script) else {
        let path = folder.join("build.rs");
        if path.exists() {
            let message = "`Cargo.toml` says `build = false`: remove that, and `build.rs` is the build script";
            return Err(Failure::failed(message));
        }
        return Ok(Step::Write {
            path,
            what: "finds and checks the pools' environments at each build".to_owned(),
            text: SCRIPT.to_owned(),
        });
    };
    let path = target.src_path.clone().into_std_path_buf();
    let text = read(&path)?.unwrap_or_default();
    if text.contains("snakepit_build") {
        return Ok(Step::There {
            path,
            what: "calls `snakepit_build`".to_owned(),
        });
    }
    let shown = path.display().to_string();
    let file = syn::parse_file(&text).map_err(|error| {
        let line = error.span().start().line;
        Failure::failed(format!("`{shown}`, line {line}, is not Rust: {error}"))
    })?;
    let main = file.items.iter().find_map(|item| match item {
        syn::Item::Fn(function) if function.sig.ident == "main" => Some(function),
        _ => None,
    });
    let main = main.ok_or_else(|| {
        Failure::failed(format!(
            "`{shown}` has no `main` to put `snakepit_build::emit();` into: write it there"
        ))
    })?;
    let end = main.block.brace_token.span.open().byte_range().end;
    let rest = &text[end..];
    let line = "\n    snakepit_build::emit();";
    // `fn main() {}` on one line.
    let close = if rest.starts_with('}') { "\n" } else { "" };
    Ok(Step::Write {
        path,
        what: "calls `snakepit_build::emit()` first".to_owned(),
        text: format!("{}{line}{close}{rest}", &text[..end]),
    })
}

/// A source with the module named in it, behind what belongs to the file as a whole.
fn with_module(text: &str, is_library: bool) -> String {
    let module = match is_library {
        true => "pub mod workers;\n",
        // Nothing of it is called yet.
        false => {
            "#[allow(dead_code, reason = \"until the program starts its workers\")]\nmod workers;\n"
        }
    };
    let mut end = 0;
    for line in text.split_inclusive('\n') {
        let plain = line.trim();
        let is_of_file = plain.is_empty()
            || ["//!", "#!", "//"]
                .iter()
                .any(|start| plain.starts_with(start));
        if !is_of_file {
            break;
        }
        end += line.len();
    }
    let (before, behind) = text.split_at(end);
    let gap = if before.is_empty() || before.ends_with("\n\n") {
        ""
    } else {
        "\n"
    };
    let space = if behind.starts_with("mod ") || behind.starts_with("pub mod ") || behind.is_empty()
    {
        ""
    } else {
        "\n"
    };
    format!("{before}{gap}{module}{space}{behind}")
}
