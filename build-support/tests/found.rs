//! Adapters that only the import system finds, and what is remembered of them: a warm build starts no process.

mod support;

use std::fs;
use std::path::PathBuf;

use snakepit_build::cache::Cache;
use snakepit_build::declaration::{Adapter, Request};
use snakepit_build::manifest::Resolution;
use snakepit_build::resolver::{Custom, resolve};
use snakepit_build::{Diagnostic, Host, Machine};
use snakepit_test_tools::{python, succeeds};
use support::{World, request};

/// A package with a virtual environment, and a pool whose adapter is `tools`.
struct Package {
    folder: tempfile::TempDir,
    request: Request,
}

impl Package {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        python().make_venv(&folder.path().join(".venv"));
        let mut request = request("venv", &[]);
        request.adapter = Some(Adapter::Module("tools".to_owned()));
        Self { folder, request }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn write(&self, relative: &str, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn install(&self, file: &str, text: &str) {
        let lib = Machine.list(&self.path(".venv/lib"));
        fs::write(lib[0].join("site-packages").join(file), text).unwrap();
    }

    /// Resolves the pool as a build after another does; one that `runs` nothing panics if it does.
    fn build(&self, runs: bool) -> Result<Resolution, Diagnostic> {
        let mut world = World::with(None);
        world.runs = runs;
        let cache = Cache::load(self.path("cache.json"));
        let (custom, folder) = (Custom::new(), self.folder.path());
        let found = resolve(&self.request, folder, &custom, &cache, &world);
        cache.save();
        found.map_err(|mut faults| faults.remove(0))
    }

    #[track_caller]
    fn tools(&self, runs: bool) -> Vec<String> {
        let found = self.build(runs).unwrap_or_else(|fault| panic!("{fault:?}"));
        found.tools.into_iter().map(|tool| tool.name).collect()
    }
}

#[test]
fn an_adapter_of_an_editable_installation_is_read_once() {
    let package = Package::new();
    package.write("elsewhere/src/tools.py", "def found(): pass\n");
    let folder = package.path("elsewhere/src").display().to_string();
    package.install("__editable__demo.pth", &format!("{folder}\n"));
    assert_eq!(package.tools(true), ["found"]);
    assert_eq!(package.tools(false), ["found"]);
}

#[test]
fn an_adapter_behind_a_finder_of_its_own_is_read_once() {
    let package = Package::new();
    package.write("hidden/the_tools.py", "def found(): pass\n");
    let file = package.path("hidden/the_tools.py");
    // As setuptools installs a project whose folders are not those of its modules.
    package.install(
        "_editable_finder.py",
        &format!(
            "import sys\nfrom importlib.util import spec_from_file_location\n\n\nclass Finder:\n    \
             def find_spec(name, path=None, target=None):\n        if name == 'tools':\n            \
             return spec_from_file_location(name, {file:?})\n\n\nsys.meta_path.append(Finder)\n"
        ),
    );
    package.install("_editable.pth", "import _editable_finder\n");
    assert_eq!(package.tools(true), ["found"]);
    assert_eq!(package.tools(false), ["found"]);
    // It is a fact of the build wherever it is.
    fs::write(&file, "def found(): pass\n\n\ndef more(): pass\n").unwrap();
    assert_eq!(package.tools(true), ["found", "more"]);
}

#[test]
fn an_adapter_in_a_package_that_is_loaded_at_the_start_of_python_is_found_there() {
    let mut package = Package::new();
    package.request.adapter = Some(Adapter::Module("space.tools".to_owned()));
    package.write("parts/space/tools.py", "def found(): pass\n");
    let folder = package.path("parts/space");
    // As setuptools made namespace packages, whose parts are in several folders.
    let line = format!(
        "import sys, types; space = types.ModuleType('space'); space.__path__ = [{folder:?}]; \
         sys.modules['space'] = space\n"
    );
    package.install("demo-nspkg.pth", &line);
    assert_eq!(package.tools(true), ["found"]);
    assert_eq!(package.tools(false), ["found"]);
}

#[test]
fn an_adapter_without_python_source_is_found_and_its_tools_are_not_listed() {
    let make_zip =
        "import zipfile; zipfile.ZipFile('code.zip', 'w').writestr('tools.py', 'def f(): pass')";
    let compile = "import os, py_compile; os.mkdir('compiled'); os.chdir('compiled'); open('tools.py', 'w').close(); py_compile.compile('tools.py', 'tools.pyc'); \
                   os.remove('tools.py')";
    for (script, python_path) in [(make_zip, "code.zip"), (compile, "compiled")] {
        let mut package = Package::new();
        succeeds(&python().path, &["-c", script], package.folder.path());
        if python_path == "compiled" {
            package.request.python_path = vec![python_path.to_owned()];
        } else {
            let folder = package.path(python_path).display().to_string();
            package.install("zipped.pth", &format!("{folder}\n"));
        }
        assert!(package.tools(true).is_empty());
        assert!(package.tools(false).is_empty());
    }
}

#[test]
fn an_edited_adapter_is_read_again_and_a_syntax_error_is_remembered_as_well() {
    let mut package = Package::new();
    package.request.python_path = vec!["python".to_owned()];
    package.write("python/tools.py", "def first(): pass\n");
    assert_eq!(package.tools(true), ["first"]);
    package.write("python/tools.py", "def other(): pass\n");
    assert_eq!(package.tools(true), ["other"]);
    package.write("python/tools.py", "def broken(: pass\n");
    let fault = package.build(true).unwrap_err();
    assert_eq!(fault.code(), "adapter_syntax_error");
    assert_eq!(package.build(false).unwrap_err(), fault);
    package.write("python/tools.py", "def mended(): pass\n");
    assert_eq!(package.tools(true), ["mended"]);
    assert_eq!(package.tools(false), ["mended"]);
}

#[test]
fn a_module_that_comes_before_the_adapter_takes_its_place() {
    let mut package = Package::new();
    package.request.python_path = vec!["first".to_owned(), "second".to_owned()];
    package.write("second/tools.py", "def second(): pass\n");
    fs::create_dir(package.path("first")).unwrap();
    assert_eq!(package.tools(true), ["second"]);
    package.write("first/tools.py", "def first(): pass\n");
    assert_eq!(package.tools(true), ["first"]);
}

#[test]
fn what_was_missing_is_looked_for_again() {
    let mut package = Package::new();
    package.request.python_path = vec!["python".to_owned()];
    package.request.adapter = Some(Adapter::Module("service.tools".to_owned()));
    package.write("python/service/__init__.py", "");
    assert_eq!(package.build(true).unwrap_err().code(), "adapter_not_found");
    package.write("python/service/tools.py", "def found(): pass\n");
    assert_eq!(package.tools(true), ["found"]);
}

#[test]
fn variables_of_the_declaration_decide_where_an_adapter_is_found() {
    let mut package = Package::new();
    package.write("named/tools.py", "def found(): pass\n");
    assert_eq!(package.build(true).unwrap_err().code(), "adapter_not_found");
    let folder = package.path("named").display().to_string();
    package.request.env.insert("PYTHONPATH".to_owned(), folder);
    assert_eq!(package.tools(true), ["found"]);
}

#[test]
fn an_embedded_adapter_is_read_once_for_its_content() {
    let mut package = Package::new();
    package.request.adapter = Some(Adapter::Embed("tools.py".to_owned()));
    package.write("tools.py", "def first(): pass\n");
    assert_eq!(package.tools(true), ["first"]);
    // Another time of the file makes no difference.
    package.write("tools.py", "def first(): pass\n");
    assert_eq!(package.tools(false), ["first"]);
    package.write("tools.py", "def other(): pass\n");
    assert_eq!(package.tools(true), ["other"]);
}
