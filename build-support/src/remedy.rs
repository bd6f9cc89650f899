//! The command that installs a distribution, in the words of the environment's own manager.

use std::path::Path;

use crate::environment::{ExtraMetadata, conda_manager, quoted};
use crate::host::Host;
use crate::requirement::{Requirement, Source};

/// What to run for a string of `requires`, of which `part` is what does not hold.
pub(crate) fn install(
    kind: &str,
    extra: &ExtraMetadata,
    command: &str,
    wanted: &Requirement,
    part: &Requirement,
    host: &dyn Host,
) -> String {
    let text = |requirement: &str| quoted(Path::new(requirement));
    let add = match kind {
        "uv" => Some("uv add"),
        "poetry" => Some("poetry add"),
        _ => None,
    };
    if let (Some(add), Some(project)) = (add, extra.get("project_dir")) {
        return format!("run `{add} {}` in `{project}`", text(&wanted.text));
    }
    if kind == "conda"
        && let Some(prefix) = extra.get("conda_prefix")
        && let Some(spec) = conda(part)
    {
        let manager = conda_manager(host);
        let prefix = quoted(Path::new(prefix));
        return format!("run `{manager} install -p {prefix} {}`", text(&spec));
    }
    // Of a version that is there already pip takes no other copy by itself.
    let force = match wanted.source {
        Source::Url(_) => "--force-reinstall ",
        Source::Versions(_) => "",
    };
    format!(
        "run `{command} -m pip install {force}{}`",
        text(&wanted.text)
    )
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
    use crate::host::Machine;

    #[test]
    fn each_manager_is_given_what_it_understands() {
        let extra = ExtraMetadata::from([
            ("project_dir".to_owned(), "/app".to_owned()),
            ("conda_prefix".to_owned(), "/envs/a b".to_owned()),
        ]);
        let wanted = Requirement::parse("Demo[fast] >= 1; python_version > '3'").unwrap();
        let part = Requirement::parse("Alpha ~= 2.1, != 2.2").unwrap();
        let url = Requirement::parse("alpha @ https://host/a").unwrap();
        let run = |kind, part| install(kind, &extra, "/venv/bin/python", &wanted, part, &Machine);
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
