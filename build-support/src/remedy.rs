//! The command that installs a distribution, in the words of the environment's own manager.

use std::path::Path;

use crate::environment::{ExtraMetadata, conda_manager};
use crate::host::Host;
use crate::probe::Interpreter;
use crate::requirement::{Requirement, Source};
use crate::shell::quoted;

/// Where something is to be installed.
pub(crate) struct Target<'a> {
    /// The environment's kind, and what it says beside its interpreter.
    pub(crate) kind: &'a str,
    pub(crate) extra: &'a ExtraMetadata,
    /// How a person would start the interpreter.
    pub(crate) command: &'a str,
    /// The interpreter, where its files are those of this machine.
    pub(crate) interpreter: Option<&'a Interpreter>,
    /// Whether it has pip: what uv makes has none.
    pub(crate) has_pip: bool,
}

/// What to run for a string of `requires`, of which `part` is what does not hold.
pub(crate) fn install(
    target: &Target<'_>,
    wanted: &Requirement,
    part: &Requirement,
    host: &dyn Host,
) -> String {
    let Target {
        kind,
        extra,
        command,
        ..
    } = *target;
    let add = match kind {
        "uv" => Some("uv add"),
        "poetry" => Some("poetry add"),
        _ => None,
    };
    if let (Some(add), Some(project)) = (add, extra.get("project_dir")) {
        return format!("run `{add} {}` in `{project}`", quoted(&wanted.text));
    }
    if kind == "conda"
        && let Some(prefix) = extra.get("conda_prefix")
        && let Some(spec) = conda(part)
    {
        let manager = conda_manager(host);
        let prefix = quoted(prefix);
        return format!("run `{manager} install -p {prefix} {}`", quoted(&spec));
    }
    // Of a version that is there already pip takes no other copy by itself.
    let force = match wanted.source {
        Source::Url(_) => "--force-reinstall ",
        Source::Versions(_) => "",
    };
    let wanted = quoted(&wanted.text);
    if target
        .interpreter
        .is_some_and(|interpreter| is_managed(interpreter, host))
    {
        return format!(
            "the system's own packages alone may change this Python: run `{command} -m venv .venv`, then \
             `.venv/bin/python -m pip install {wanted}`, and write `environment = venv`"
        );
    }
    match (target.has_pip, host.which("uv")) {
        (true, _) => format!("run `{command} -m pip install {force}{wanted}`"),
        (false, Some(_)) => {
            let force = force.replace("--force-reinstall", "--reinstall");
            format!("run `uv pip install --python {command} {force}{wanted}`")
        }
        (false, None) => {
            format!("run `{command} -m ensurepip`, then `{command} -m pip install {force}{wanted}`")
        }
    }
}

/// Whether pip refuses to install into an interpreter.
/// <https://packaging.python.org/en/latest/specifications/externally-managed-environments/>
fn is_managed(interpreter: &Interpreter, host: &dyn Host) -> bool {
    let mark = Path::new(&interpreter.standard_library).join("EXTERNALLY-MANAGED");
    interpreter.prefix == interpreter.base_prefix && host.info(&mark).is_some()
}

/// As conda writes it: no extras, no address, and no space, at which it would end.
/// <https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-search.html>
fn conda(part: &Requirement) -> Option<String> {
    let Source::Versions(versions) = &part.source else {
        return None;
    };
    let versions: Vec<String> = versions
        .texts()
        .map(|text| text.replace("===", "=="))
        .collect();
    Some(format!(
        "{}{}",
        part.name.to_ascii_lowercase(),
        versions.join(",")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;

    /// An interpreter whose own modules are in a folder.
    fn interpreter(library: &Path, prefix: &str) -> Interpreter {
        let known = crate::json::json!({
            "version": "3.13.1", "implementation": "cpython", "executable": "", "prefix": prefix, "base_prefix": "/usr",
            "platform": "", "cache_tag": "", "abi_flags": "", "soabi": "", "ext_suffix": "", "free_threading": false,
            "gil_enabled": true, "site_packages": [], "standard_library": library, "markers": {},
        });
        crate::wire::Read::read(known).unwrap()
    }

    #[test]
    fn a_python_that_the_system_manages_is_left_alone_and_an_environment_of_it_is_not() {
        let library = tempfile::tempdir().unwrap();
        std::fs::write(library.path().join("EXTERNALLY-MANAGED"), "").unwrap();
        let wanted = Requirement::parse("demo").unwrap();
        let run = |prefix| {
            let target = Target {
                kind: "system",
                extra: &ExtraMetadata::new(),
                command: "/usr/bin/python3",
                interpreter: Some(&interpreter(library.path(), prefix)),
                has_pip: true,
            };
            install(&target, &wanted, &wanted, &Machine)
        };
        let managed = run("/usr");
        assert!(
            managed.contains(
                "`/usr/bin/python3 -m venv .venv`, then `.venv/bin/python -m pip install demo`"
            ),
            "{managed}"
        );
        assert_eq!(
            run("/app/.venv"),
            "run `/usr/bin/python3 -m pip install demo`"
        );
    }

    #[test]
    fn each_manager_is_given_what_it_understands() {
        let extra = ExtraMetadata::from([
            ("project_dir".to_owned(), "/app".to_owned()),
            ("conda_prefix".to_owned(), "/envs/a b".to_owned()),
        ]);
        let wanted = Requirement::parse("Demo[fast] >= 1; python_version > '3'").unwrap();
        let part = Requirement::parse("Alpha ~= 2.1, != 2.2").unwrap();
        let url = Requirement::parse("alpha @ https://host/a").unwrap();
        let run = |kind, part| {
            let target = Target {
                kind,
                extra: &extra,
                command: "/venv/bin/python",
                interpreter: None,
                has_pip: true,
            };
            install(&target, &wanted, part, &Machine)
        };
        for (kind, command) in [
            ("uv", "run `uv add 'Demo[fast] >= 1'` in `/app`"),
            ("poetry", "run `poetry add 'Demo[fast] >= 1'` in `/app`"),
            (
                "conda",
                "run `conda install -p '/envs/a b' 'alpha~=2.1,!=2.2'`",
            ),
            (
                "venv",
                "run `/venv/bin/python -m pip install 'Demo[fast] >= 1'`",
            ),
        ] {
            assert_eq!(run(kind, &part), command);
        }
        // conda knows no addresses.
        assert_eq!(run("conda", &url), run("venv", &url));
    }
}
