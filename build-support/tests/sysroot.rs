//! Environments in the root file system of a target. Its interpreters are of another processor, or only the start of a
//! program: whoever ran one would fail.

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use snakepit_build::cache::Cache;
use snakepit_build::declaration::{Adapter, Request};
use snakepit_build::manifest::{Check, Resolution};
use snakepit_build::resolver::{Custom, resolve};
use snakepit_build::sysroot::{Sysroot, Target};
use snakepit_build::{Diagnostic, Host};
use snakepit_test_tools::arm64_root;
use support::{World, request};
use tempfile::TempDir;

/// The package's folder, on the build machine and on the target.
const PACKAGE: &str = "/opt/app";

fn aarch64() -> Target {
    Target {
        arch: "aarch64".to_owned(),
        pointer_width: 64,
        is_little_endian: true,
    }
}

/// A root file system with a Python as Debian installs it.
struct Root {
    folder: TempDir,
    world: World,
}

impl Root {
    fn new() -> Self {
        let root = Self::empty();
        root.python("/usr", "3.11.2");
        root.link("/usr/bin/python3", "/usr/bin/python3.11");
        root
    }

    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            world: World::with(None),
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let file = self.path(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn link(&self, path: &str, to: &str) {
        let link = self.path(path);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(to, link).unwrap();
    }

    /// The start of an interpreter for arm64, with its standard library.
    fn python(&self, prefix: &str, version: &str) {
        let minor = version.rsplit_once('.').unwrap().0;
        let mut program = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xb7\0".to_vec();
        program.extend(format!("\0{version}\0").bytes());
        let file = format!("{prefix}/bin/python{minor}");
        self.write(&file, program);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path(&file), mode).unwrap();
        self.write(&format!("{prefix}/lib/python{minor}/os.py"), "");
        let data = format!("{prefix}/lib/python{minor}/_sysconfigdata__linux_aarch64-linux-gnu.py");
        let soabi = format!("cpython-{}-aarch64-linux-gnu", minor.replace('.', ""));
        self.write(&data, format!("build_time_vars = {{'SOABI': '{soabi}'}}\n"));
    }

    /// A virtual environment of `/usr/bin/python3`, as the target's own Python would make it.
    fn venv(&self, folder: &str) {
        self.link(&format!("{folder}/bin/python3"), "/usr/bin/python3");
        let settings = "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n";
        self.write(&format!("{folder}/pyvenv.cfg"), settings);
        fs::create_dir_all(self.path(&format!("{folder}/lib/python3.11/site-packages"))).unwrap();
    }

    fn install(&self, folder: &str, name: &str, version: &str) {
        let file = format!("{folder}/{name}-{version}.dist-info/METADATA");
        self.write(&file, format!("Name: {name}\nVersion: {version}\n"));
    }

    fn host(&self) -> Sysroot {
        Sysroot::new(self.folder.path().to_owned(), aarch64(), &self.world)
    }

    fn resolve(&self, request: &Request) -> Result<Resolution, Diagnostic> {
        resolve_in(&self.host(), request)
    }
}

fn resolve_in(host: &dyn Host, request: &Request) -> Result<Resolution, Diagnostic> {
    let (custom, probes) = (Custom::new(), Cache::default());
    resolve(request, Path::new(PACKAGE), &custom, &probes, host)
        .map_err(|mut faults| faults.remove(0))
}

#[test]
fn a_python_for_another_processor_is_resolved_from_its_files_and_refused_by_name() {
    let Some(folder) = arm64_root() else {
        return;
    };
    let world = World::with(None);
    let sysroot = Sysroot::new(folder.to_owned(), aarch64(), &world);
    let found = resolve_in(&sysroot, &request("system", &[])).unwrap();
    assert_eq!(found.command, "/usr/bin/python3");
    let metadata = &found.metadata;
    assert_eq!(
        (metadata.prefix.as_str(), metadata.implementation.as_str()),
        ("/usr", "cpython")
    );
    let minor: Vec<&str> = metadata.python_version.split('.').collect();
    assert_eq!(minor.len(), 3, "{metadata:?}");
    let soabi = format!("cpython-{}{}-aarch64-linux-gnu", minor[0], minor[1]);
    assert_eq!(found.fingerprint.abi, soabi);
    let length = fs::metadata(folder.join("usr/bin/python3")).unwrap().len();
    let check = Check::Size {
        path: "/usr/bin/python3".to_owned(),
        bytes: length,
    };
    assert_eq!(found.checks, [check]);

    let target = Target {
        arch: "x86_64".to_owned(),
        ..aarch64()
    };
    let sysroot = Sysroot::new(folder.to_owned(), target, &world);
    let fault = resolve_in(&sysroot, &request("system", &[])).unwrap_err();
    assert_eq!(fault.code(), "sysroot_interpreter_foreign");
    let message = fault.message();
    assert!(
        message.contains("`/usr/bin/python3` is a program for aarch64")
            && message.contains("for x86_64"),
        "{message}"
    );
}

#[test]
fn a_virtual_environment_has_the_targets_paths_and_its_own_distributions() {
    let root = Root::new();
    root.venv("/opt/app/.venv");
    root.install("/opt/app/.venv/lib/python3.11/site-packages", "demo", "1.2");
    root.install("/usr/lib/python3/dist-packages", "hidden", "1.0");
    root.write("/opt/app/python/tools.py", "def greet(:\n");
    let mut wanted = request("venv", &[]);
    wanted.requires = vec!["demo>=1; platform_machine == 'aarch64'".to_owned()];
    wanted.adapter = Some(Adapter::Module("tools".to_owned()));
    wanted.python_path = vec!["python".to_owned()];
    let found = root.resolve(&wanted).unwrap();
    assert_eq!(found.command, "/opt/app/.venv/bin/python3");
    assert_eq!(found.metadata.prefix, "/opt/app/.venv");
    assert_eq!(found.metadata.base_prefix, "/usr");
    assert_eq!(found.python_path, ["/opt/app/python"]);
    let installed: Vec<&String> = found.fingerprint.distributions.keys().collect();
    assert_eq!(installed, ["demo"]);
    let paths = found.checks.iter().map(|check| match check {
        Check::Size { path, .. } | Check::Content { path, .. } | Check::Settings { path, .. } => {
            path.as_str()
        }
    });
    let paths: Vec<&str> = paths.collect();
    assert_eq!(
        paths,
        ["/opt/app/.venv/bin/python3", "/opt/app/.venv/pyvenv.cfg"]
    );

    wanted.requires.push("hidden".to_owned());
    assert_eq!(
        root.resolve(&wanted).unwrap_err().code(),
        "requirement_not_installed"
    );
    // What the base has counts where the environment sees it.
    let settings = "home = /usr/bin\ninclude-system-site-packages = true\n";
    root.write("/opt/app/.venv/pyvenv.cfg", settings);
    root.resolve(&wanted).unwrap();
    wanted.adapter = Some(Adapter::Module("toolz".to_owned()));
    let fault = root.resolve(&wanted).unwrap_err();
    assert_eq!(fault.code(), "adapter_not_found");
    assert!(fault.help().contains("did you mean `tools`?"), "{fault}");
}

#[test]
fn the_package_is_where_the_target_has_it_and_embedded_sources_where_they_are_built() {
    let mut root = Root::new();
    root.venv("/srv/app/.venv");
    let built = tempfile::tempdir().unwrap();
    fs::write(built.path().join("tools.py"), "def greet():\n    pass\n").unwrap();
    root.world
        .variables
        .insert("SNAKEPIT_ROOT_PACKAGE".to_owned(), "/srv/app".into());
    let mut wanted = request("auto", &[]);
    wanted.adapter = Some(Adapter::Embed("tools.py".to_owned()));
    let (custom, probes) = (Custom::new(), Cache::default());
    let found = resolve(&wanted, built.path(), &custom, &probes, &root.host()).unwrap();
    assert_eq!(found.command, "/srv/app/.venv/bin/python3");
    let source = built.path().join("tools.py");
    assert_eq!(found.embedded.as_deref(), source.to_str());
    assert!(found.fingerprint.adapter.is_some());
}

#[test]
fn environments_of_every_manager_are_found_by_their_files() {
    let mut root = Root::new();
    // uv and poetry: a project with its environment in it.
    for project in ["uv", "poetry"] {
        root.venv(&format!("/opt/app/{project}/.venv"));
    }
    let project = "[project]\nname = \"demo\"\nversion = \"0.1.0\"\nrequires-python = \">=3.8\"\n";
    root.write("/opt/app/uv/pyproject.toml", project);
    let lock = "version = 1\nrequires-python = \">=3.8\"\n\n[[package]]\nname = \"demo\"\nversion = \"0.1.0\"\n\
                source = { virtual = \".\" }\n";
    root.write("/opt/app/uv/uv.lock", lock);
    let found = root
        .resolve(&request("uv", &[("project_dir", "uv")]))
        .unwrap();
    assert_eq!(found.command, "/opt/app/uv/.venv/bin/python3");
    let lock_files: Vec<&String> = found.fingerprint.lock_files.keys().collect();
    assert_eq!(lock_files, ["/opt/app/uv/uv.lock"]);
    // pyenv, where the target has it.
    root.world
        .variables
        .insert("SNAKEPIT_ROOT_PYENV".to_owned(), "/opt/pyenv".into());
    root.python("/opt/pyenv/versions/3.12.4", "3.12.4");
    root.link("/opt/pyenv/versions/3.12.4/bin/python3", "python3.12");
    let found = root
        .resolve(&request("pyenv", &[("python_version", "3.12")]))
        .unwrap();
    assert_eq!(found.command, "/opt/pyenv/versions/3.12.4/bin/python3");
    assert_eq!(found.metadata.python_version, "3.12.4");
    // conda: a prefix with its records.
    root.python("/opt/conda/envs/ml", "3.13.1");
    root.link("/opt/conda/envs/ml/bin/python", "python3.13");
    root.write("/opt/conda/envs/ml/conda-meta/history", "");
    root.write("/opt/conda/envs/ml/conda-meta/openssl-3.4.0-h1.json", "{}");
    let found = root
        .resolve(&request("conda", &[("prefix", "/opt/conda/envs/ml")]))
        .unwrap();
    assert_eq!(found.metadata.prefix, "/opt/conda/envs/ml");
    assert_eq!(found.fingerprint.distributions["openssl"], "3.4.0");
}

#[test]
fn links_of_the_target_do_not_leave_it() {
    let root = Root::empty();
    // Each leads to an interpreter of the build machine, if it is followed as one of the build machine's.
    let here = support::python();
    root.link("/usr/bin/python3", here.to_str().unwrap());
    root.link(
        "/usr/bin/python",
        &format!("../../../../../../../..{}", here.display()),
    );
    let fault = root.resolve(&request("system", &[])).unwrap_err();
    assert_eq!(fault.code(), "python_not_found", "{fault}");
    root.link("/opt/app/.venv/bin/python3", "/usr/bin/python3");
    let fault = root.resolve(&request("venv", &[])).unwrap_err();
    assert_eq!(fault.code(), "venv_invalid", "{fault}");
    assert!(fault.message().contains("its link is broken"), "{fault}");
}
