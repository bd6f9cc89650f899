//! An adapter that is compiled into the program: one Python file of the package.

use std::path::{Path, PathBuf};

use super::MOST_SOURCE;
use crate::catalogue::Code;
use crate::declaration::{Adapter, Request};
use crate::declare::{hint, is_identifier, nearest};
use crate::diagnostic::Diagnostic;
use crate::environment::absolute;
use crate::host::Host;

/// A file to embed, and what it says.
pub(crate) struct Source {
    pub(crate) file: PathBuf,
    pub(crate) text: String,
}

/// The source of an adapter that is to be embedded.
pub(crate) fn read(
    request: &Request,
    package: &Path,
    host: &dyn Host,
) -> Result<Option<Source>, Diagnostic> {
    let file = request.adapter.as_ref().and_then(Adapter::file);
    file.map(|file| source(file, package, host)).transpose()
}

fn source(declared: &str, package: &Path, host: &dyn Host) -> Result<Source, Diagnostic> {
    let file = absolute(package, declared);
    let shown = file.display();
    let invalid = |message: String, help: &str| {
        Diagnostic::new(Code::AdapterFileInvalid, message, help).at("adapter")
    };
    let Some(info) = host.source_info(&file) else {
        let message = format!("no file `{shown}` to embed");
        let hint = hint(beside(declared, &file, host).as_deref());
        let help =
            format!("{hint}make it, or correct the path, which starts at the package's folder");
        return Err(Diagnostic::new(Code::AdapterFileNotFound, message, help).at("adapter"));
    };
    if info.is_dir || file.file_name().is_some_and(|name| name == "__init__.py") {
        let message = format!("`{shown}` is a package, but one file can be embedded");
        let help = "name one file without modules of its own beside it, or ship the package and name it in \
                    `adapter = \"...\"`";
        return Err(invalid(message, help));
    }
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    if file.extension().is_none_or(|extension| extension != "py")
        || !stem.is_some_and(is_identifier)
    {
        let message = format!("the file `{shown}` to embed has a name that no module can have");
        let help = "give it the name of a Python identifier and `.py`, such as `tools.py`";
        return Err(invalid(message, help));
    }
    if info.len > MOST_SOURCE {
        return Err(super::too_large(&shown.to_string(), info.len));
    }
    let bytes = host.source(&file).map_err(|error| {
        let message = format!("the file `{shown}` to embed cannot be read: {error}");
        invalid(message, "make it readable")
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
        let message = format!(
            "the file `{shown}` to embed is not UTF-8, which a text of the program must be: line {line} is not"
        );
        invalid(message, "save it as UTF-8")
    })?;
    Ok(Source { file, text })
}

/// The file that is meant, by a name that is nearly its own. What is in the folder of a source is known where it is
/// built for this machine.
fn beside(declared: &str, file: &Path, host: &dyn Host) -> Option<String> {
    if host.target().is_some() {
        return None;
    }
    let files = host.list(file.parent()?);
    let stem = |file: &Path| Some(file.file_stem()?.to_str()?.to_owned());
    let is_source = |file: &&PathBuf| file.extension().is_some_and(|extension| extension == "py");
    let modules: Vec<String> = files
        .iter()
        .filter(is_source)
        .filter_map(|file| stem(file))
        .filter(|module| is_identifier(module) && module != "__init__")
        .collect();
    let near = format!(
        "{}.py",
        nearest(&stem(file)?, modules.iter().map(String::as_str))?
    );
    Path::new(declared)
        .with_file_name(near)
        .to_str()
        .map(str::to_owned)
}
