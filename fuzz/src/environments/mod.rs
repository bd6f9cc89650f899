//! Files of environments and answers of programs, each in a small machine where everything else is sound.

pub(crate) mod conda;
pub(crate) mod distributions;
pub(crate) mod poetry;
pub(crate) mod sysroot;

use snakepit_build::declaration::{Adapter, Profile, Request};
use snakepit_build::host::Program;

use crate::tree::Tree;
use crate::verdict::resolved;

/// What a sound interpreter answers to the probe.
const ANSWER: &str = concat!(
    r#"snakepit-probe:{"version": "3.12.1", "implementation": "cpython", "executable": "/p/bin/python3", "#,
    r#""prefix": "/p", "base_prefix": "/usr", "platform": "linux-x86_64", "cache_tag": "cpython-312", "#,
    r#""abi_flags": "", "soabi": "cpython-312-x86_64-linux-gnu", "ext_suffix": ".so", "free_threading": false, "#,
    r#""gil_enabled": true, "site_packages": ["/site"], "standard_library": "/usr/lib/python3.12", "#,
    r#""markers": {"implementation_name": "cpython", "implementation_version": "3.12.1", "os_name": "posix", "#,
    r#""platform_machine": "x86_64", "platform_python_implementation": "CPython", "#,
    r#""platform_release": "6.8.0-45-generic", "platform_system": "Linux", "platform_version": "1", "#,
    r##""python_full_version": "3.12.1", "python_version": "3.12", "sys_platform": "linux"}}"##,
);

fn request(kind: &str, options: &[(&str, &str)]) -> Request {
    let mut request = Request::new("ml");
    request.kind = kind.to_owned();
    let options = options.iter();
    request.options = options
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    request
}

/// A machine on which every program answers as a Python does.
fn machine<'a>() -> Tree<'a> {
    Tree::new(|_| ANSWER.into())
}

/// The same, with a virtual environment in the package.
fn with_venv<'a>() -> Tree<'a> {
    machine()
        .file("/app/.venv/bin/python3", "")
        .file("/app/.venv/pyvenv.cfg", "home = /usr/bin\n")
}

/// `pyvenv.cfg`.
pub(crate) fn pyvenv_cfg(data: &[u8]) {
    let tree = with_venv().file("/app/.venv/pyvenv.cfg", data);
    resolved(&request("venv", &[]), &tree);
    resolved(&request("auto", &[]), &tree);
    let tree = sysroot::machine(sysroot::PROGRAM)
        .file("/app/.venv/bin/python3", sysroot::PROGRAM)
        .file("/app/.venv/pyvenv.cfg", data);
    resolved(&request("venv", &[]), &tree);
}

/// `.python-version`, with pyenv and without.
pub(crate) fn python_version(data: &[u8]) {
    let without = machine()
        .file("/app/.python-version", data)
        .file("/usr/bin/python3", "")
        .variable("HOME", "/home")
        .variable("PATH", "/usr/bin")
        .programs_in("/usr/bin");
    resolved(&request("auto", &[]), &without);
    let with = machine()
        .file("/app/.python-version", data)
        .file("/pyenv/versions/3.12.1/bin/python3", "")
        .file("/pyenv/versions/3.13.0t/bin/python3", "")
        .file("/pyenv/versions/ml/bin/python", "")
        .variable("PYENV_ROOT", "/pyenv");
    resolved(&request("auto", &[]), &with);
    resolved(&request("pyenv", &[]), &with);
    if let Ok(text) = std::str::from_utf8(data) {
        resolved(&request("pyenv", &[("python_version", text)]), &with);
    }
}

/// What an interpreter prints when it is asked who it is.
pub(crate) fn probe(data: &[u8]) {
    let tree = Tree::new(|_| data.to_vec())
        .file("/app/.venv/bin/python3", "")
        .file("/site/demo-1.0.dist-info/METADATA", "Version: 1.0\n");
    let mut request = request("venv", &[]);
    request.python = Some(">=3.8".to_owned());
    request.requires = vec!["demo; python_version > '3.8'".to_owned()];
    request.profile = Profile::Thread(4);
    resolved(&request, &tree);
}

/// What an interpreter prints when it is asked about an adapter.
pub(crate) fn adapter(data: &[u8]) {
    let answer = |program: &Program<'_>| {
        let is_question = |arg: &&str| arg.contains("inspect_adapter()");
        match program.args.iter().any(is_question) {
            true => data.to_vec(),
            false => ANSWER.into(),
        }
    };
    let tree = Tree::new(answer)
        .file("/app/.venv/bin/python3", "")
        .file("/app/tools.py", "def tool(): pass\n");
    for adapter in [
        Adapter::Module("tools".to_owned()),
        Adapter::Embed("tools.py".to_owned()),
    ] {
        let mut request = request("venv", &[]);
        request.adapter = Some(adapter);
        resolved(&request, &tree);
    }
}

/// `uv.lock`, where there is no uv to ask: of the project, and of a workspace that it is a member of.
pub(crate) fn uv_lock(data: &[u8]) {
    let with = |lock: &str, environment: &str| {
        machine()
            .file(lock, data)
            .file("/app/pyproject.toml", "")
            .file(&format!("{environment}/bin/python3"), "")
            .file("/site/demo-1.0.dist-info/METADATA", "Version: 1.0\n")
            .file("/site/other-2.0.dist-info/METADATA", "Version: 2.0\n")
    };
    resolved(&request("auto", &[]), &with("/app/uv.lock", "/app/.venv"));
    let member = with("/uv.lock", "/.venv");
    resolved(&request("uv", &[("python_version", "3.12")]), &member);
}

/// What a container's engine and the Python in it print: the first half describes the container, the second is the
/// Python's.
pub(crate) fn container(data: &[u8]) {
    let (inspected, told) = match data.iter().position(|byte| *byte == 0) {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (data, &[][..]),
    };
    let answer = |program: &Program<'_>| {
        let is_question = |arg: &&str| arg.contains("inspect_adapter()");
        if program.args.iter().any(is_question) {
            told.to_vec()
        } else if program.args.contains(&"inspect") {
            inspected.to_vec()
        } else {
            ANSWER.into()
        }
    };
    let tree = Tree::new(answer)
        .file("/usr/bin/docker", "")
        .programs_in("/usr/bin");
    for option in ["container_name", "image"] {
        let mut request = request("docker", &[(option, "ml")]);
        request.requires = vec!["demo[fast]>=1".to_owned()];
        request.python_path = vec!["/srv".to_owned()];
        request.adapter = Some(Adapter::Module("tools".to_owned()));
        resolved(&request, &tree);
    }
}
