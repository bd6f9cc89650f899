//! What the build says of an adapter that it finds, on every Python of the machine: where its source cannot be read.

mod support;

use std::fs;
use std::path::Path;

use snakepit_build::Diagnostic;
use snakepit_build::declaration::Adapter;
use snakepit_build::manifest::Resolution;
use snakepit_test_tools::{Python, pythons};
use support::{World, python, request};

/// Resolves a pool whose adapter is looked for in the folder `python` of the package.
fn resolved(python: &Path, package: &Path, adapter: Adapter) -> Result<Resolution, Diagnostic> {
    let mut request = request("system", &[]);
    request.adapter = Some(adapter);
    request.python_path = vec!["python".to_owned()];
    World::with(Some(python)).resolve(&request, package)
}

fn module(name: &str) -> Adapter {
    Adapter::Module(name.to_owned())
}

/// A package whose folder `python` holds these files.
fn package(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("python")).unwrap();
    for (name, text) in files {
        let path = package.path().join("python").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    package
}

/// The fault of the adapter `tools` with this source.
#[track_caller]
fn refused(python: &Python, source: &[u8], code: &str) -> Diagnostic {
    let package = package(&[("tools.py", source)]);
    let found = resolved(&python.path, package.path(), module("tools"));
    let fault = found.expect_err(&format!("{python:?}"));
    let named = (fault.code(), fault.place());
    assert_eq!(named, (code, "adapter"), "{python:?}: {fault:?}");
    let file = package.path().join("python/tools.py");
    assert!(fault.help().contains(file.to_str().unwrap()), "{fault:?}");
    fault
}

#[test]
fn a_syntax_error_is_told_with_file_line_caret_and_the_python_that_says_so() {
    for python in pythons() {
        let source = b"import os\n\n\ndef f(:\n    pass\n";
        let fault = refused(&python, source, "adapter_syntax_error");
        let said = &fault.message();
        assert!(
            said.starts_with(&format!("Python {} ", python.version)),
            "{said}"
        );
        assert!(said.contains("line 4, column 7\n"), "{said}");
        assert!(
            said.contains("python/tools.py\", line 4\n    def f(:\n"),
            "{said}"
        );
        assert!(
            said.contains("\n          ^\nSyntaxError: invalid syntax"),
            "{said}"
        );
    }
}

#[test]
fn of_a_very_long_line_only_the_place_of_the_error_is_shown() {
    for python in pythons() {
        let source = format!(
            "x = [{}) + 1{}]\n",
            "1, ".repeat(50_000),
            ", 1".repeat(50_000)
        );
        let fault = refused(&python, source.as_bytes(), "adapter_syntax_error");
        assert!(fault.message().len() < 2000, "{fault:?}");
        assert!(fault.message().contains("1, ) + 1, 1"), "{fault:?}");
        assert!(
            fault.message().contains("line 1, column 150006"),
            "{fault:?}"
        );
    }
}

#[test]
fn what_python_finds_only_behind_the_syntax_tree_is_told_as_well() {
    for python in pythons() {
        let fault = refused(&python, b"x = 1\nreturn x\n", "adapter_syntax_error");
        let said = &fault.message();
        assert!(
            said.contains("line 2") && said.contains("    return x\n"),
            "{said}"
        );
        assert!(
            said.ends_with("SyntaxError: 'return' outside function"),
            "{said}"
        );
    }
}

#[test]
fn what_is_new_in_python_3_10_is_an_error_before() {
    let source = b"def f(x):\n    match x:\n        case 1:\n            return 2\n";
    for python in pythons() {
        let minor: u32 = python
            .version
            .to_string()
            .split('.')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        if minor < 10 {
            refused(&python, source, "adapter_syntax_error");
        } else {
            let package = package(&[("tools.py", source)]);
            resolved(&python.path, package.path(), module("tools")).unwrap();
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_line() {
    let deep = format!("x = {}1\n", "-".repeat(200_000));
    let cases: [(&[u8], &[&str]); 5] = [
        (
            b"# -*- coding: klingon -*-\n",
            &["unknown encoding: klingon"],
        ),
        (b"# -*- coding: hex -*-\n", &["hex"]),
        (b"a = 1\nname = 'caf\xe9'\n", &["line 2 is no utf-8"]),
        (b"a = 1\n\0\n", &["line 2 has a NUL byte"]),
        (deep.as_bytes(), &["nested too deep", "nested"]),
    ];
    for python in pythons() {
        for (source, words) in cases {
            let fault = refused(&python, source, "adapter_not_readable");
            let is_told = words.iter().any(|word| fault.message().contains(word));
            assert!(is_told, "{python:?}: {fault:?}");
        }
    }
}

#[test]
fn a_source_of_100_megabytes_is_not_read() {
    let package = package(&[]);
    let file = fs::File::create(package.path().join("python/tools.py")).unwrap();
    file.set_len(100 << 20).unwrap();
    let fault = resolved(&python(), package.path(), module("tools")).unwrap_err();
    assert_eq!(fault.code(), "adapter_too_large");
    assert!(fault.message().contains("104857600 bytes"), "{fault:?}");
}

#[test]
fn a_folder_without_an_init_file_is_no_adapter_and_may_hold_one() {
    let package = package(&[("space/inner/tools.py", b"def f(): pass\n")]);
    for python in pythons() {
        let fault = resolved(&python.path, package.path(), module("space.inner")).unwrap_err();
        assert_eq!(fault.code(), "adapter_without_init", "{fault:?}");
        assert!(fault.message().contains("python/space/inner"), "{fault:?}");
        let found = resolved(&python.path, package.path(), module("space.inner.tools")).unwrap();
        assert_eq!(found.tools[0].name, "f");
    }
}

#[test]
fn neither_the_adapter_nor_its_package_is_run_and_what_it_imports_is_not_checked() {
    let files: [(&str, &[u8]); 3] = [
        ("service/__init__.py", b"raise SystemExit('run')\n"),
        ("service/tools.py", b"from . import helper\nimport nowhere\n\n\ndef f():\n    pass\n\n\nraise SystemExit('run')\n"),
        ("service/helper.py", b"def ("),
    ];
    let package = package(&files);
    for python in pythons() {
        let found = resolved(&python.path, package.path(), module("service.tools")).unwrap();
        assert_eq!(found.tools[0].name, "f");
    }
}

#[test]
fn a_misspelt_adapter_is_told_the_module_that_is_there() {
    let package = package(&[
        ("my_tools.py", b""),
        ("service/__init__.py", b""),
        ("service/tools.py", b""),
    ]);
    for (wrong, right) in [
        ("my_tool", "my_tools"),
        ("servce", "service"),
        ("service.tool", "service.tools"),
        ("python.service.tools", "service.tools"),
    ] {
        let fault = resolved(&python(), package.path(), module(wrong)).unwrap_err();
        assert_eq!(fault.code(), "adapter_not_found");
        let hint = format!("did you mean `{right}`? ");
        assert!(fault.help().starts_with(&hint), "{fault:?}");
    }
    let fault = resolved(&python(), package.path(), module("elsewhere")).unwrap_err();
    assert!(!fault.help().contains("did you mean"), "{fault:?}");
    let fault = resolved(&python(), package.path(), module("my_tools.inner")).unwrap_err();
    assert_eq!(fault.code(), "adapter_not_found");
}

#[test]
fn a_name_that_python_itself_has_already_is_refused() {
    let package = package(&[
        ("codecs.py", b"def f(): pass\n"),
        ("json.py", b"def f(): pass\n"),
    ]);
    let fault = resolved(&python(), package.path(), module("codecs")).unwrap_err();
    assert_eq!(fault.code(), "adapter_name_taken", "{fault:?}");
    // Not loaded before an adapter, and so the one in the folder is what a worker imports.
    let found = resolved(&python(), package.path(), module("json")).unwrap();
    assert_eq!(found.tools[0].name, "f");
}

#[test]
fn a_module_of_python_itself_is_no_adapter() {
    let package = package(&[("tools.py", b"")]);
    for python in pythons() {
        for name in [
            "sys",
            "json",
            "json.decoder",
            "colorsys",
            "zipimport",
            "os.path",
        ] {
            let fault = resolved(&python.path, package.path(), module(name)).unwrap_err();
            assert_eq!(fault.code(), "adapter_name_taken", "{python:?}: {fault:?}");
            assert!(fault.help().contains("of your own"), "{fault:?}");
        }
    }
}

#[test]
fn a_file_that_hides_a_module_of_python_itself_is_warned_of_by_its_path() {
    let package = package(&[
        ("tools.py", b""),
        ("colorsys.py", b""),
        ("wave/__init__.py", b""),
        // Found after Python's own, and loaded before any adapter.
        ("sys.py", b""),
        ("json/no_package.py", b""),
    ]);
    for python in pythons() {
        let found = resolved(&python.path, package.path(), module("tools")).unwrap();
        let [color, wave] = &found.warnings[..] else {
            panic!("{python:?}: {:?}", found.warnings);
        };
        let file = package.path().join("python/colorsys.py");
        let says = format!("`{}` hides the module `colorsys`", file.display());
        assert!(color.message().contains(&says), "{color}");
        assert_eq!(color.code(), "standard_module_hidden");
        assert!(wave.message().contains("wave/__init__.py` hides"), "{wave}");
    }
}

#[test]
fn an_embedded_source_is_checked_by_the_same_python() {
    let files: [(&str, &[u8]); 3] = [
        ("fine.py", "\u{feff}def f(x='é'): pass\r\n".as_bytes()),
        ("broken.py", b"def f():\n    return )\n"),
        ("json.py", b""),
    ];
    let package = package(&files);
    let embed = |name: &str| Adapter::Embed(format!("python/{name}.py"));
    for python in pythons() {
        let found = resolved(&python.path, package.path(), embed("fine")).unwrap();
        assert_eq!(found.tools[0].parameters[0].default.as_deref(), Some("'é'"));
        let fault = resolved(&python.path, package.path(), embed("broken")).unwrap_err();
        assert_eq!(fault.code(), "adapter_syntax_error");
        assert!(fault.message().contains("    return )\n"), "{fault:?}");
        // In front of all others, it would be everybody's `json`. Older Pythons do not know all their modules.
        let taken = resolved(&python.path, package.path(), embed("json")).unwrap_err();
        assert_eq!(taken.code(), "adapter_name_taken", "{taken:?}");
    }
}
