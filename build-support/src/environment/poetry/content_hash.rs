//! Whether `poetry.lock` was made of the `pyproject.toml` that is beside it: poetry writes a digest of the parts that
//! decide into the lock. They and their order are those of `poetry.packages.locker.Locker` of poetry 2.5.
//! <https://python-poetry.org/docs/libraries/#lock-file>

use std::path::Path;
use std::str::FromStr;

use super::Project;
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::document::Table;
use crate::host::Host;
use crate::json::{Value, python};
use crate::ordered::Ordered;
use crate::version::Version;

/// Keys of `[tool.poetry]` that were there before `[project]` was; those that are absent count, too.
const LEGACY: [&str; 4] = ["dependencies", "source", "extras", "dev-dependencies"];

/// Keys of `[project]`.
const PROJECT: [&str; 3] = ["requires-python", "dependencies", "optional-dependencies"];

/// The first poetry that counts `[dependency-groups]`.
const WITH_GROUPS: &str = "2.3.0";

/// Compares the lock with the project's file. A lock without a digest says nothing about that.
pub(super) fn check(project: &Project, lock: &Table, host: &dyn Host) -> Result<(), Diagnostic> {
    let metadata = lock.get("metadata");
    let Some(written) = metadata.and_then(|metadata| metadata.get("content-hash")?.as_str()) else {
        return Ok(());
    };
    let settings = project.settings(&project.folder.join("pyproject.toml"), host)?;
    let is_written = |groups| digest(&python(&relevant(&settings, groups))) == written;
    let file = project.folder.join("poetry.lock");
    if is_written(true) || made_without_groups(&file, host) && is_written(false) {
        return Ok(());
    }
    let folder = project.folder.display();
    Err(project.fault(
        Code::PoetryLockOutdated,
        format!(
            "`{folder}/pyproject.toml` was changed after `{folder}/poetry.lock` was made of it"
        ),
        format!("run `poetry lock` in `{folder}`"),
    ))
}

/// Whether the lock's first line names a poetry that does not count `[dependency-groups]`.
fn made_without_groups(file: &Path, host: &dyn Host) -> bool {
    let text = host.consult(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().next().unwrap_or_default();
    let version = line.split_once("Poetry ").map(|(_, rest)| rest);
    let version = version.and_then(|rest| rest.split(' ').next());
    let parsed = |text: &str| Version::from_str(text).ok();
    matches!(
        (version.and_then(parsed), parsed(WITH_GROUPS)),
        (Some(made), Some(first)) if made < first
    )
}

/// The parts that decide.
fn relevant(settings: &Table, with_groups: bool) -> Value {
    let table = |key: &str| settings.get(key).and_then(Value::as_object);
    let own = table("tool").and_then(|tool| tool.get("poetry")?.as_object());
    let parts = |table: Option<&Table>, keys: &[&str]| -> Table {
        let value = |key: &&str| Some(((*key).to_owned(), table?.get(*key)?.clone()));
        keys.iter().filter_map(value).ordered()
    };
    let project = parts(table("project"), &PROJECT);
    let groups = table("dependency-groups").filter(|groups| with_groups && !groups.is_empty());
    let mut poetry = parts(own, &LEGACY);
    poetry.extend(parts(own, &["group"]));
    if project.is_empty() && groups.is_none() {
        for key in LEGACY {
            poetry.entry(key.to_owned()).or_insert(Value::Null);
        }
        return Value::Object(poetry);
    }
    let mut all = Table::new();
    if !project.is_empty() {
        all.insert("project".to_owned(), Value::Object(project));
    }
    all.extend(groups.map(|groups| {
        (
            "dependency-groups".to_owned(),
            Value::Object(groups.clone()),
        )
    }));
    let tool = Table::from([("poetry".to_owned(), Value::Object(poetry))]);
    all.insert("tool".to_owned(), Value::Object(tool));
    Value::Object(all)
}

fn digest(text: &str) -> String {
    let bytes = hmac_sha256::Hash::hash(text.as_bytes());
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_the_one_that_python_writes() {
        let text = |settings: &str| {
            let settings = crate::document::parse(settings).unwrap();
            python(&relevant(&settings, true))
        };
        let settings = "[project]\nrequires-python = \">=3.8\"\nname = \"left out\"\n\
             [tool.poetry.group.dev.dependencies]\nz = {version = \"^1\", optional = true, n = 1, f = 1.5}\n\
             a = \"\u{e9}\u{1f600}\\\"\\\\\\n\\u0001\\u007f\"\n";
        let wanted = r#"{"project": {"requires-python": ">=3.8"}, "tool": {"poetry": {"group": {"dev": {"dependencies": {"a": "\u00e9\ud83d\ude00\"\\\n\u0001\u007f", "z": {"f": 1.5, "n": 1, "optional": true, "version": "^1"}}}}}}}"#;
        assert_eq!(text(settings), wanted);
        assert_eq!(
            text("[tool.poetry]\nname = \"a\"\n"),
            r#"{"dependencies": null, "dev-dependencies": null, "extras": null, "source": null}"#
        );
    }
}
