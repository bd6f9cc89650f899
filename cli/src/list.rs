//! `list`: every environment that can be found for a directory, each with the attribute that asks for it. All is told
//! by files; an interpreter is run only where `auto` itself would have to ask it.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use clap_cargo::style::{GOOD, HEADER, LITERAL, WARN};
use comfy_table::{Attribute, Cell, Color, ColumnConstraint};
use snakepit_build::declaration::Request;
use snakepit_build::detector::{self, Detected};
use snakepit_build::{Host, choice, known};

use crate::args::List;
use crate::failure::Failure;
use crate::files;
use crate::interrupt::{self, Interruptible};
use crate::layout::columns;
use crate::output::Output;
use crate::survey::enter;

/// An environment.
struct Found {
    /// The attribute that asks for it.
    attribute: String,
    /// Its Python's version, as far as files tell.
    python: Option<String>,
    /// Its folder or its interpreter.
    path: PathBuf,
    /// What is to be known of it.
    note: &'static str,
}

pub(crate) fn run(list: &List, output: &mut Output) -> Result<bool, Failure> {
    let dir = list.dir.canonicalize().map_err(|error| {
        Failure::usage(format!(
            "`{}` cannot be looked at: {error}",
            list.dir.display()
        ))
    })?;
    if !dir.is_dir() {
        return Err(Failure::usage(format!(
            "`{}` is no directory",
            dir.display()
        )));
    }
    interrupt::guard()?;
    // As a build script of a package there would look.
    enter(&dir)?;
    output.line(format!("{HEADER}auto{HEADER:#} in {}", dir.display()));
    tell_auto(&dir, output);
    let mut all = of_directory(&dir);
    let mut notes = Vec::new();
    match known::conda(&Interruptible) {
        Ok(known) => all.extend(known.into_iter().map(|known| conda(known, &dir))),
        Err(fault) => notes.push(fault.message().to_owned()),
    }
    all.extend(known::pyenv(&Interruptible).into_iter().map(|known| Found {
        attribute: option("pyenv", "python_version", &known.name),
        python: known.python.or_else(|| files::venv_version(&known.prefix)),
        path: known.prefix,
        note: "",
    }));
    all.extend(kept_elsewhere());
    all.extend(of_uv());
    all.extend(on_search_path());
    if all.is_empty() {
        output.line("no other environment was found");
    } else {
        output.line("");
        let rows = all.iter().map(|found| {
            let python = found.python.clone().unwrap_or_default();
            vec![
                Cell::new(&found.attribute)
                    .fg(Color::Cyan)
                    .add_attribute(Attribute::Bold),
                Cell::new(python),
                Cell::new(found.path.display()),
                Cell::new(found.note),
            ]
        });
        let head = ["environment =", "python", "path", ""];
        let mut table = columns(&head, rows.collect());
        if let Some(attributes) = table.column_mut(0) {
            // A line break would be copied with it.
            attributes.set_constraint(ColumnConstraint::ContentWidth);
        }
        output.line(table.trim_fmt());
    }
    for note in notes {
        output.line(format!("{WARN}note{WARN:#}: {note}"));
    }
    Ok(true)
}

/// What `auto` would choose, and why.
fn tell_auto(dir: &Path, output: &mut Output) {
    match choice::choose(&Request::new("list"), dir, &Interruptible) {
        Ok(choice) => {
            let options: Vec<String> = choice
                .config
                .options
                .iter()
                .map(|(name, value)| format!("{name} = {value:?}"))
                .collect();
            let options = if options.is_empty() {
                String::new()
            } else {
                format!("({})", options.join(", "))
            };
            output.line(format!("  chooses {GOOD}{}{options}{GOOD:#}", choice.kind));
            if let Some(why) = choice.reasons.get("detected_why") {
                output.line(format!("  because of {why}"));
            }
        }
        Err(fault) => {
            output.line(format!(
                "  {WARN}chooses nothing{WARN:#}: {}",
                fault.message()
            ));
            output.line(format!("  {LITERAL}help{LITERAL:#}: {}", fault.help()));
        }
    }
}

/// `kind(name = "value")`.
fn option(kind: &str, name: &str, value: &str) -> String {
    format!("{kind}({name} = {value:?})")
}

/// What lies in the directory itself, and in its folders.
fn of_directory(dir: &Path) -> Vec<Found> {
    let mut found = projects(dir, ".");
    for path in Interruptible.list(dir) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        // A virtual environment, whatever its name, or the project of a manager.
        match virtual_environment(option("venv", "venv_path", name), path.clone()) {
            Some(environment) => found.push(environment),
            None => found.extend(projects(&path, name)),
        }
    }
    found
}

/// The projects of managers in a folder.
fn projects(folder: &Path, name: &str) -> Vec<Found> {
    let detected = detector::all(folder, &Interruptible);
    let found = detected.filter_map(|Detected { kind, marker, .. }| {
        let python = match kind {
            "uv" | "poetry" => files::venv_version(&folder.join(".venv")),
            "conda" => None,
            // Virtual environments and the versions of pyenv come by themselves.
            _ => return None,
        };
        Some(Found {
            attribute: option(kind, "project_dir", name),
            python,
            path: folder.join(marker),
            note: "",
        })
    });
    found.collect()
}

fn conda(known: known::Known, dir: &Path) -> Found {
    let is_path = Path::new(&known.name).is_absolute();
    let attribute = match known.prefix.strip_prefix(dir) {
        Ok(relative) => option("conda", "prefix", &relative.display().to_string()),
        Err(_) if is_path => option("conda", "prefix", &known.name),
        Err(_) => option("conda", "environment_name", &known.name),
    };
    Found {
        attribute,
        note: if known.python.is_none() {
            "it has no Python"
        } else {
            ""
        },
        python: known.python,
        path: known.prefix,
    }
}

/// Virtual environments that tools keep in one folder: virtualenvwrapper and pipenv, and poetry.
/// <https://virtualenvwrapper.readthedocs.io/en/latest/install.html#location-of-environments>
/// <https://python-poetry.org/docs/configuration/#virtualenvspath>
fn kept_elsewhere() -> Vec<Found> {
    let variable = |name: &str| Interruptible.variable(name).map(PathBuf::from);
    let home = |relative: &str| Some(variable("HOME")?.join(relative));
    let cache = variable("XDG_CACHE_HOME").or_else(|| home(".cache"));
    let poetry = variable("POETRY_CACHE_DIR").or_else(|| Some(cache?.join("pypoetry")));
    let folders = [
        variable("WORKON_HOME").or_else(|| home(".virtualenvs")),
        variable("XDG_DATA_HOME")
            .or_else(|| home(".local/share"))
            .map(|data| data.join("virtualenvs")),
        variable("POETRY_VIRTUALENVS_PATH").or_else(|| Some(poetry?.join("virtualenvs"))),
    ];
    let folders = folders.into_iter().flatten();
    let all = folders.flat_map(|folder| Interruptible.list(&folder));
    all.filter_map(|path| {
        let attribute = option("venv", "venv_path", path.to_str()?);
        virtual_environment(attribute, path)
    })
    .collect()
}

/// A folder that is a virtual environment.
fn virtual_environment(attribute: String, path: PathBuf) -> Option<Found> {
    let is_whole = files::interpreter(&path).is_some();
    path.join("pyvenv.cfg").is_file().then(|| Found {
        attribute,
        python: files::venv_version(&path),
        path,
        note: if is_whole {
            ""
        } else {
            "its interpreter is gone"
        },
    })
}

/// The Pythons that uv installed: `cpython-3.13.1-linux-x86_64-gnu` in its own folder.
fn of_uv() -> Vec<Found> {
    let folders = known::uv(&Interruptible)
        .map(|folder| Interruptible.list(&folder))
        .unwrap_or_default();
    let pythons = folders.into_iter().filter_map(|folder| {
        let name = folder.file_name()?.to_str()?;
        let version = name.split('-').nth(1)?;
        // `cpython-3.13-...` is a link to the newest of its releases.
        if folder.is_symlink() || !version.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let python = files::interpreter(&folder)?;
        Some(Found {
            attribute: option("system", "python_executable", python.to_str()?),
            python: Some(version.replace("+freethreaded", "t")),
            path: folder.clone(),
            note: "uv's own",
        })
    });
    pythons.collect()
}

/// The interpreters on the search path, each once: `python3.12` is what `python3` is a link to.
fn on_search_path() -> Vec<Found> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let path = env::var_os("PATH").unwrap_or_default();
    for folder in env::split_paths(&path).filter(|folder| folder.is_absolute()) {
        for file in Interruptible.list(&folder) {
            let name = file
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if !files::is_interpreter_name(name)
                || !Interruptible
                    .info(&file)
                    .is_some_and(|info| info.is_executable)
            {
                continue;
            }
            let Ok(real) = file.canonicalize() else {
                continue;
            };
            if !seen.insert(real.clone()) {
                continue;
            }
            // A shim, such as pyenv's: what it starts depends on where it is started.
            let is_shim = Interruptible.is_script(&file);
            if is_shim && folder.with_file_name("versions").is_dir() {
                // What pyenv's own start are its versions, which stand above.
                continue;
            }
            found.push(Found {
                attribute: option("system", "python_executable", &file.display().to_string()),
                python: files::version_of(&file, &real),
                path: real,
                note: if is_shim {
                    "a script that starts another"
                } else {
                    ""
                },
            });
        }
    }
    found
}
