//! Demands on an interpreter that does not see the build machine's files: it is asked itself, once for all of them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::adapter;
use crate::declaration::{Adapter, Request};
use crate::diagnostic::Diagnostic;
use crate::environment::{Elsewhere, Launch};
use crate::host::Host;
use crate::requirement;

/// What comes before the answer: user code of `site` may print before it.
const MARK: &str = "snakepit-elsewhere:";

/// It sees the modules that a worker sees: the bridge changes `sys.path` in the same way. A module inside a package
/// is looked for among the files, since finding it would run the package.
const SCRIPT: &str = r#"
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import json, os
from importlib import metadata, util
question = json.loads(sys.argv[1])
sys.path[:0] = question["python_path"]
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
def is_there(module):
    parts = module.split(".")
    for folder in sys.path:
        base = os.path.join(folder, *parts)
        if os.path.isfile(base + ".py") or os.path.isfile(os.path.join(base, "__init__.py")):
            return True
    return len(parts) == 1 and util.find_spec(module) is not None
adapter = question["adapter"]
print("snakepit-elsewhere:" + json.dumps({
    "versions": {name: version(name) for name in question["names"]},
    "folders": [os.path.isdir(folder) for folder in question["python_path"]],
    "adapter": adapter is None or is_there(adapter),
}))
"#;

#[derive(Serialize)]
struct Question<'a> {
    names: Vec<&'a str>,
    python_path: &'a [String],
    adapter: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer {
    versions: BTreeMap<String, Option<String>>,
    folders: Vec<bool>,
    adapter: bool,
}

/// Everything of `requires`, `python_path` and `adapter` that does not hold there.
pub(crate) fn check(
    request: &Request,
    executable: &Path,
    launch: &Launch,
    elsewhere: &Elsewhere,
    host: &dyn Host,
) -> Vec<Diagnostic> {
    if request.requires.is_empty() && request.python_path.is_empty() && request.adapter.is_none() {
        return Vec::new();
    }
    let place = &elsewhere.name;
    let mut faults: Vec<Diagnostic> = request
        .python_path
        .iter()
        .filter(|folder| !folder.starts_with('/'))
        .map(|folder| {
            let message = format!(
                "`python_path` names `{folder}`, which is relative to no folder of {place}"
            );
            let help = "write the absolute path of a folder in it";
            Diagnostic::new("container_path_relative", message, help).at("python_path")
        })
        .collect();
    if !faults.is_empty() {
        return faults;
    }
    let module = match &request.adapter {
        Some(Adapter::Module(module)) => Some(module.as_str()),
        _ => None,
    };
    let names = request.requires.iter();
    let question = Question {
        names: names
            .filter_map(|text| Some(requirement::parse(text).ok()?.name))
            .collect(),
        python_path: &request.python_path,
        adapter: module,
    };
    let shown = launch.shown(executable);
    let answer = match ask(&question, executable, launch, host) {
        Ok(answer) => answer,
        Err(found) => {
            let message = format!("`{shown}` did not say what is installed in {place}: {found}");
            let help = format!(
                "run `{shown} -c \"import json, importlib.metadata\"` to see what is wrong with it"
            );
            return vec![Diagnostic::new("probe_failed", message, help)];
        }
    };
    for (index, text) in request.requires.iter().enumerate() {
        let checked = requirement::parse(text).and_then(|requirement| {
            let version = answer.versions.get(requirement.name).cloned().flatten();
            requirement.check(version.as_deref(), &shown)
        });
        faults.extend(checked.err().map(|mut fault| {
            if fault.code == "requirement_not_met" && !elsewhere.is_lasting {
                fault.help = format!("install `{text}` in {place}, and make that again");
            }
            fault.at(format!("requires:{index}"))
        }));
    }
    let folders = request.python_path.iter().zip(&answer.folders);
    for (folder, _) in folders.filter(|(_, is_there)| !**is_there) {
        let message = format!("`python_path` names `{folder}`, which is no folder of {place}");
        let help = "make it there, or correct the path";
        faults.push(Diagnostic::new("python_path_not_found", message, help).at("python_path"));
    }
    if let Some(module) = module.filter(|_| !answer.adapter) {
        faults.push(adapter::not_found(module, &shown, &request.python_path));
    }
    faults
}

fn ask(
    question: &Question<'_>,
    executable: &Path,
    launch: &Launch,
    host: &dyn Host,
) -> Result<Answer, String> {
    let question = serde_json::to_string(question).map_err(|error| error.to_string())?;
    let program = launch.program(executable, &["-s", "-c", SCRIPT, &question]);
    let answer = host.run(&program).map_err(|error| error.to_string())?;
    let stdout = String::from_utf8_lossy(&answer.stdout);
    stdout
        .lines()
        .find_map(|line| serde_json::from_str(line.strip_prefix(MARK)?).ok())
        .ok_or_else(|| {
            let stderr = String::from_utf8_lossy(&answer.stderr);
            let words = stderr.lines().rev().find(|line| !line.trim().is_empty());
            words.map_or(answer.status.clone(), ToOwned::to_owned)
        })
}
