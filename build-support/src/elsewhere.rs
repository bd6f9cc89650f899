//! Demands on an interpreter that does not see the build machine's files: it is asked itself, once for all of them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::adapter;
use crate::catalogue::Code;
use crate::declaration::{Adapter, Request};
use crate::demand::Demands;
use crate::diagnostic::Diagnostic;
use crate::distribution::{self, Distribution, Distributions};
use crate::environment::ExtraMetadata;
use crate::environment::{Elsewhere, Launch};
use crate::host::Host;
use crate::probe::Interpreter;
use crate::remedy;
use crate::requirement::{Requirement, normalized};

/// What comes before the answer: user code of `site` may print before it.
const MARK: &str = "snakepit-elsewhere:";

/// It sees the modules that a worker sees: the bridge changes `sys.path` in the same way. A module inside a package
/// is looked for among the files, since finding it would run the package.
const SCRIPT: &str = r#"
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import json, os, re
from importlib import util
question = json.loads(sys.argv[1])
sys.path[:0] = question["python_path"]
def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()
def headers(file):
    kept = []
    with open(file, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            key = line.partition(":")[0].lower()
            if not line.strip():
                break
            if key in ("version", "provides-extra") or key == "requires-dist" and "extra" in line:
                kept.append(line)
    return "".join(kept)
def read(file):
    try:
        with open(file, encoding="utf-8") as origin:
            return origin.read()
    except (OSError, ValueError):
        return None
def files():
    found = {}
    for folder in sys.path:
        for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            stem, kind = os.path.splitext(entry)
            path = os.path.join(folder, entry)
            name = normalized(stem.split("-")[0])
            if kind == ".dist-info":
                found.setdefault(name, []).append(os.path.join(path, "METADATA"))
            elif kind == ".egg-info":
                inside = os.path.join(path, "PKG-INFO") if os.path.isdir(path) else path
                found.setdefault(name, []).append(inside)
    return found
def distributions(names):
    there, told, names = files(), {}, list(names)
    while names:
        name = normalized(names.pop())
        if name in told:
            continue
        told[name] = None
        for file in filter(os.path.isfile, there.get(name, ())):
            text = headers(file)
            origin = read(os.path.join(os.path.dirname(file), "direct_url.json"))
            told[name] = {"headers": text, "origin": origin}
            names += re.findall(r"(?im)^requires-dist:\s*([a-z0-9._-]+)", text)
            break
    return told
def is_there(module):
    parts = module.split(".")
    for folder in sys.path:
        base = os.path.join(folder, *parts)
        if os.path.isfile(base + ".py") or os.path.isfile(os.path.join(base, "__init__.py")):
            return True
    return len(parts) == 1 and util.find_spec(module) is not None
adapter = question["adapter"]
print("snakepit-elsewhere:" + json.dumps({
    "distributions": distributions(question["names"]),
    "folders": [os.path.isdir(folder) for folder in question["python_path"]],
    "adapter": adapter is None or is_there(adapter),
}))
"#;

#[derive(Serialize)]
struct Question<'a> {
    names: Vec<String>,
    python_path: Vec<&'a str>,
    adapter: Option<&'a str>,
}

#[derive(Deserialize)]
struct Answer {
    /// By normalized name.
    distributions: BTreeMap<String, Option<Told>>,
    folders: Vec<bool>,
    adapter: bool,
}

/// What is told of one distribution.
#[derive(Deserialize)]
struct Told {
    headers: String,
    origin: Option<String>,
}

impl Distributions for Answer {
    fn find(&self, name: &str) -> Option<Distribution> {
        let told = self.distributions.get(&normalized(name))?.as_ref()?;
        let mut found = distribution::parsed(&told.headers)?;
        found.origin.clone_from(&told.origin);
        Some(found)
    }
}

/// Everything of `requires`, `python_path` and `adapter` that does not hold there.
pub(crate) fn check(
    request: &Request,
    interpreter: &Interpreter,
    executable: &Path,
    launch: &Launch,
    elsewhere: &Elsewhere,
    host: &dyn Host,
) -> Vec<Diagnostic> {
    if request.requires.is_empty() && request.python_path.is_empty() && request.adapter.is_none() {
        return Vec::new();
    }
    let place = &elsewhere.name;
    // A relative one was told before, and without it no module is missed.
    let folders = request.python_path.iter().enumerate();
    let folders: Vec<(usize, &str)> = folders
        .map(|(index, folder)| (index, folder.as_str()))
        .filter(|(_, folder)| folder.starts_with('/'))
        .collect();
    let module = match &request.adapter {
        Some(Adapter::Module(module)) if folders.len() == request.python_path.len() => {
            Some(module.as_str())
        }
        _ => None,
    };
    let names = request.requires.iter();
    let question = Question {
        names: names
            .filter_map(|text| Some(Requirement::parse(text).ok()?.name))
            .collect(),
        python_path: folders.iter().map(|(_, folder)| *folder).collect(),
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
            return vec![Diagnostic::new(Code::ProbeFailed, message, help)];
        }
    };
    let demands = Demands {
        variables: &interpreter.markers,
        command: &shown,
        distributions: &answer,
        remedy: &|wanted, part| match elsewhere.is_lasting {
            true => remedy::install("", &ExtraMetadata::new(), &shown, wanted, part, host),
            false => format!("install `{}` in {place}, and make that again", wanted.text),
        },
    };
    let mut faults = demands.check(&request.requires);
    let folders = folders.iter().zip(&answer.folders);
    for ((index, folder), _) in folders.filter(|(_, is_there)| !**is_there) {
        let message = format!("`python_path` names `{folder}`, which is no folder of {place}");
        let help = "make it there, or correct the path";
        let fault = Diagnostic::new(Code::PythonPathNotFound, message, help);
        faults.push(fault.at(format!("python_path:{index}")));
    }
    if let Some(module) = module.filter(|_| !answer.adapter) {
        faults.push(adapter::not_found(module, &shown, &request.python_path));
    }
    faults
}

/// The folders of `python_path` that start nowhere in the place.
pub(crate) fn relative_folders(request: &Request, place: &str) -> Vec<Diagnostic> {
    let folders = request.python_path.iter().enumerate();
    folders
        .filter(|(_, folder)| !folder.starts_with('/'))
        .map(|(index, folder)| {
            let message = format!(
                "`python_path` names `{folder}`, which is relative to no folder of {place}"
            );
            let help = "write the absolute path of a folder in it";
            let fault = Diagnostic::new(Code::ContainerPathRelative, message, help);
            fault.at(format!("python_path:{index}"))
        })
        .collect()
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
