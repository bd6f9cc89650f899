//! Demands on an interpreter that does not see the build machine's files: it is asked itself, once for all of them.

use std::path::Path;

use crate::adapter::{self, Adapted, Asked, INSPECT, Inspection, Source};
use crate::catalogue::Code;
use crate::declaration::Request;
use crate::demand::Demands;
use crate::diagnostic::Diagnostic;
use crate::distribution::{self, Distribution, Distributions};
use crate::environment::ExtraMetadata;
use crate::environment::{Elsewhere, Launch};
use crate::host::Host;
use crate::json::Value;
use crate::ordered::Map;
use crate::probe::Interpreter;
use crate::remedy::Target;
use crate::requirement::{Requirement, normalized};
use crate::wire::read;
use crate::{remedy, script};

/// Below [`INSPECT`], the functions that look at an adapter.
const SCRIPT: &str = include_str!("elsewhere.py");

struct Question<'a> {
    names: Vec<String>,
    adapter: adapter::Question<'a>,
}

struct Answer {
    /// By normalized name.
    distributions: Map<String, Option<Told>>,
    folders: Vec<bool>,
    adapter: Option<Inspection>,
}

read!(Answer {
    distributions,
    folders,
    adapter
});

/// What is told of one distribution.
struct Told {
    headers: String,
    origin: Option<String>,
}

read!(Told { headers, origin });

impl Distributions for Answer {
    fn find(&self, name: &str) -> Option<Distribution> {
        let told = self.distributions.get(&normalized(name))?.as_ref()?;
        let mut found = distribution::parsed(&told.headers)?;
        found.origin.clone_from(&told.origin);
        Some(found)
    }
}

/// The interpreter there, and how it is started.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) elsewhere: &'a Elsewhere,
    pub(crate) interpreter: &'a Interpreter,
    pub(crate) executable: &'a Path,
    pub(crate) launch: &'a Launch,
}

/// The tools of the adapter, or everything of `requires`, `python_path` and `adapter` that does not hold there.
/// `source` is that of an embedded adapter.
pub(crate) fn check(
    request: &Request,
    source: Option<&Source>,
    place: Place<'_>,
    host: &dyn Host,
) -> Result<Adapted, Vec<Diagnostic>> {
    if request.requires.is_empty() && request.python_path.is_empty() && request.adapter.is_none() {
        return Ok(Adapted::default());
    }
    let name = &place.elsewhere.name;
    // A relative one was told before, and without it no module is missed.
    let folders = request.python_path.iter().enumerate();
    let folders: Vec<(usize, &str)> = folders
        .map(|(index, folder)| (index, folder.as_str()))
        .filter(|(_, folder)| folder.starts_with('/'))
        .collect();
    let is_whole = folders.len() == request.python_path.len();
    let adapter = request.adapter.as_ref().filter(|_| is_whole);
    let names = request.requires.iter();
    let question = Question {
        names: names
            .filter_map(|text| Some(Requirement::parse(text).ok()?.name))
            .collect(),
        adapter: adapter::Question::new(
            adapter,
            source,
            folders.iter().map(|(_, folder)| *folder).collect(),
        ),
    };
    let shown = place.launch.shown(place.executable);
    let answer = match ask(&question, source, place, host) {
        Ok(answer) => answer,
        Err(found) => {
            let message = format!("`{shown}` did not say what is installed in {name}: {found}");
            let help = format!(
                "run `{shown} -c \"import json, importlib.metadata\"` to see what is wrong with it"
            );
            return Err(vec![Diagnostic::new(Code::ProbeFailed, message, help)]);
        }
    };
    let demands = Demands {
        variables: &place.interpreter.markers,
        command: &shown,
        distributions: &answer,
        remedy: &|wanted, part| match place.elsewhere.is_lasting {
            true => {
                // What else is there nobody asked.
                let target = Target {
                    kind: "",
                    extra: &ExtraMetadata::new(),
                    command: &shown,
                    interpreter: None,
                    has_pip: true,
                };
                remedy::install(&target, wanted, part, host)
            }
            false => format!("install `{}` in {name}, and make that again", wanted.text),
        },
    };
    let mut faults = demands.check(&request.requires);
    let folders = folders.iter().zip(&answer.folders);
    for ((index, folder), _) in folders.filter(|(_, is_there)| !**is_there) {
        let message = format!("`python_path` names `{folder}`, which is no folder of {name}");
        let help = "make it there, or correct the path";
        let fault = Diagnostic::new(Code::PythonPathNotFound, message, help);
        faults.push(fault.at(format!("python_path:{index}")));
    }
    // Without one of its folders no module is missed.
    let adapter = adapter.filter(|_| answer.folders.iter().all(|is_there| *is_there));
    let tools = match (answer.adapter, adapter) {
        (Some(inspection), Some(adapter)) => inspection.tools(&Asked {
            module: adapter.module(),
            class: adapter.class(),
            command: &shown,
            version: &place.interpreter.version,
            python_path: &request.python_path,
        }),
        _ => Ok(Adapted::default()),
    };
    match tools {
        Ok(tools) if faults.is_empty() => Ok(tools),
        Ok(_) => Err(faults),
        Err(fault) => {
            faults.push(fault);
            Err(faults)
        }
    }
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
    source: Option<&Source>,
    place: Place<'_>,
    host: &dyn Host,
) -> Result<Answer, String> {
    let mut json = question.adapter.json()?;
    let names = question.names.iter().map(String::as_str);
    json.insert("names".to_owned(), names.collect());
    let question = Value::Object(json).to_string();
    let script = format!("{INSPECT}{SCRIPT}");
    let arguments = ["-s", "-c", &script, &question];
    let mut program = place.launch.program(place.executable, &arguments);
    program.input = source.map_or(&[], |source| source.text.as_bytes());
    script::ask(&program, host)
}
