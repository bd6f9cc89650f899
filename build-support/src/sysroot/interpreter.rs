//! Who an interpreter is, from files alone.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use super::elf::{self, Shape};
use super::layout::Layout;
use super::{Target, sysconfig};
use crate::catalogue::Code;
use crate::diagnostic::Diagnostic;
use crate::host::Host;
use crate::json::{self, Value};
use crate::ordered::Ordered;
use crate::probe::{Interpreter, OLDEST, too_old};
use crate::version::Version;

/// The longest file of facts that is read, in bytes.
const MOST: u64 = 4 << 20;

/// The longest program that is looked through for its version, in bytes.
const MOST_PROGRAM: u64 = 64 << 20;

/// The interpreter at a path of a target's root file system.
pub(crate) fn interpreter(
    path: &Path,
    target: &Target,
    host: &dyn Host,
) -> Result<Interpreter, Diagnostic> {
    let shown = path.display();
    let unknown = |found: String| {
        let message =
            format!("the files of the target do not tell which Python `{shown}` is: {found}");
        let help = "install Python there, or name another interpreter of it";
        Diagnostic::new(Code::SysrootInterpreterUnknown, message, help)
    };
    let start = host.consult_start(path, elf::LENGTH);
    let start = start.map_err(|error| unknown(format!("it cannot be read: {error}")))?;
    let shape = elf::shape(&start).ok_or_else(|| unknown("it is no ELF program".to_owned()))?;
    if !shape.fits(target) {
        let message =
            format!("`{shown}` is a program for {shape}, but what is built is for {target}");
        let help = "name the root file system of the target, or build for its machine: `cargo build --target ...`";
        return Err(Diagnostic::new(
            Code::SysrootInterpreterForeign,
            message,
            help,
        ));
    }
    let layout = Layout::of(path, host).map_err(unknown)?;
    let facts = Facts::of(path, &layout, shape, host).ok_or_else(|| {
        let library = layout.standard_library.display();
        unknown(format!(
            "neither `{library}/build-details.json` nor the program itself has the whole version of `{}`",
            layout.name
        ))
    })?;
    let version = facts.version.parse::<Version>();
    let oldest = OLDEST.parse::<Version>();
    if let (Ok(version), Ok(oldest)) = (version, oldest)
        && version < oldest
    {
        return Err(too_old(&shown.to_string(), &facts.version));
    }
    Ok(facts.interpreter(path, &layout, shape, host))
}

/// What tells one interpreter from another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    version: String,
    abi_flags: String,
    soabi: String,
    ext_suffix: String,
    free_threading: bool,
}

impl Facts {
    fn of(path: &Path, layout: &Layout, shape: Shape, host: &dyn Host) -> Option<Self> {
        let read = |file: &Path| {
            let bytes = host.consult_start(file, MOST).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let file = layout.standard_library.join("build-details.json");
        if let Some(facts) = read(&file).and_then(|text| details(&text)) {
            return Some(facts);
        }
        let minor = layout
            .name
            .trim_start_matches("python")
            .trim_end_matches('t');
        let version = whole_version(path, layout, minor, host)?;
        // The one for its debug build begins with `_sysconfigdata_d`.
        let files = host.list(&layout.standard_library).into_iter();
        let file = files.filter(|file| {
            let name = file.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("_sysconfigdata_") && name.ends_with(".py"))
        });
        let variables = file.filter_map(|file| Some(sysconfig::variables(&read(&file)?)));
        let mut variables = variables.filter(|known| known.contains_key("SOABI"));
        let known = variables.next().unwrap_or_default();
        let text = |name: &str| known.get(name).cloned().unwrap_or_default();
        let is_free = layout.name.ends_with('t') || text("Py_GIL_DISABLED") == "1";
        let flags = if is_free { "t" } else { "" };
        let mut soabi = text("SOABI");
        if soabi.is_empty() {
            let digits = minor.replace('.', "");
            soabi = format!("cpython-{digits}{flags}-{}-linux-gnu", shape.uname());
        }
        Some(Self {
            version,
            abi_flags: known
                .get("ABIFLAGS")
                .cloned()
                .unwrap_or_else(|| flags.to_owned()),
            ext_suffix: Some(text("EXT_SUFFIX"))
                .filter(|suffix| !suffix.is_empty())
                .unwrap_or_else(|| format!(".{soabi}.so")),
            soabi,
            free_threading: is_free,
        })
    }

    fn interpreter(
        self,
        path: &Path,
        layout: &Layout,
        shape: Shape,
        host: &dyn Host,
    ) -> Interpreter {
        let machine = shape.uname();
        let minor: Vec<&str> = self.version.split('.').take(2).collect();
        let markers = [
            ("implementation_name", "cpython"),
            ("implementation_version", &self.version),
            ("os_name", "posix"),
            ("platform_machine", machine),
            ("platform_python_implementation", "CPython"),
            // Those of the kernel that it will run on nobody knows.
            ("platform_release", ""),
            ("platform_system", "Linux"),
            ("platform_version", ""),
            ("python_full_version", &self.version),
            ("python_version", &minor.join(".")),
            ("sys_platform", "linux"),
        ];
        let markers = markers.iter();
        let markers: BTreeMap<String, String> = markers
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .ordered();
        let text = |path: &Path| path.display().to_string();
        Interpreter {
            implementation: "cpython".to_owned(),
            executable: text(path),
            prefix: text(&layout.prefix),
            base_prefix: text(&layout.base_prefix),
            platform: format!("linux-{machine}"),
            cache_tag: format!("cpython-{}", minor.concat()),
            gil_enabled: !self.free_threading,
            site_packages: layout.site_packages(host),
            standard_library: text(&layout.standard_library),
            markers,
            version: self.version,
            abi_flags: self.abi_flags,
            soabi: self.soabi,
            ext_suffix: self.ext_suffix,
            free_threading: self.free_threading,
        }
    }
}

/// What `build-details.json` of Python 3.14 and later says; `None` if that is not CPython, or not a whole version.
/// <https://peps.python.org/pep-0739/>
pub fn details(text: &str) -> Option<Facts> {
    let value = json::parse(text).ok()?;
    let implementation = value.get("implementation")?;
    if implementation.get("name")?.as_str()? != "cpython" {
        return None;
    }
    let version = implementation.get("version")?;
    let part = |name: &str| version.get(name)?.as_u64();
    let (major, minor, micro) = (part("major")?, part("minor")?, part("micro")?);
    let level = match version.get("releaselevel").and_then(Value::as_str) {
        Some("alpha") => Some("a"),
        Some("beta") => Some("b"),
        Some("candidate") => Some("rc"),
        _ => None,
    };
    let level = level.map_or_else(String::new, |level| {
        format!("{level}{}", part("serial").unwrap_or_default())
    });
    let abi = value.get("abi")?;
    let flags = abi.get("flags").and_then(Value::as_array);
    let flags = flags.into_iter().flatten().filter_map(Value::as_str);
    let abi_flags: String = flags.collect();
    let suffix = abi.get("extension_suffix").and_then(Value::as_str);
    let ext_suffix = suffix.unwrap_or_default().to_owned();
    let soabi = ext_suffix.trim_start_matches('.').trim_end_matches(".so");
    Some(Facts {
        version: format!("{major}.{minor}.{micro}{level}"),
        free_threading: abi_flags.contains('t'),
        soabi: soabi.to_owned(),
        abi_flags,
        ext_suffix,
    })
}

/// The version that an interpreter's header `patchlevel.h` defines.
pub fn header_version(header: &str) -> Option<&str> {
    let mut lines = header.lines();
    let line = lines.find_map(|line| line.strip_prefix("#define PY_VERSION "))?;
    line.split('"').nth(1)
}

/// The whole version of an interpreter of which the first two parts are known: what its headers say, if they are
/// installed, else a text in the program, or in the library that it is built with.
fn whole_version(path: &Path, layout: &Layout, minor: &str, host: &dyn Host) -> Option<String> {
    let headers = layout.base_prefix.join("include").join(&layout.name);
    let header = host.consult_start(&headers.join("patchlevel.h"), MOST);
    let header = header.unwrap_or_default();
    if let Some(text) = header_version(&String::from_utf8_lossy(&header))
        && let Some(version) = whole(text, minor)
    {
        return Some(version);
    }
    let libraries = ["lib", "lib64"].map(|name| host.list(&layout.base_prefix.join(name)));
    let libraries = libraries.into_iter().flatten().filter(|file| {
        let name = file.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| {
            name.starts_with(&format!("libpython{minor}")) && name.contains(".so")
        })
    });
    let mut files = std::iter::once(PathBuf::from(path)).chain(libraries);
    files.find_map(|file| version_in(&host.consult_start(&file, MOST_PROGRAM).ok()?, minor))
}

/// The version that a program has as a text of its own, or as the end of one: a linker puts texts with the same end
/// together. Where several come into question, none is taken.
fn version_in(bytes: &[u8], minor: &str) -> Option<String> {
    let wanted = format!("{minor}.");
    let mut found = None;
    let (mut rest, mut at) = (bytes, 0);
    // The search itself is the standard library's, which is optimised where a build script is not.
    while let Ok(length @ 1..) = rest.skip_until(b'.') {
        at += length;
        let Some(before) = bytes[..at].strip_suffix(wanted.as_bytes()) else {
            continue;
        };
        if before
            .last()
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.')
        {
            continue;
        }
        let text = &rest[..rest.len().min(16)];
        // As C ends its texts.
        if let Some(end) = text.iter().position(|byte| *byte == 0)
            && let Ok(text) = std::str::from_utf8(&text[..end])
        {
            let Some(version) = whole(&format!("{wanted}{text}"), minor) else {
                continue;
            };
            if found.get_or_insert_with(|| version.clone()) != &version {
                return None;
            }
        }
    }
    found
}

/// A text that is a version of three parts, the first two of which are known.
fn whole(text: &str, minor: &str) -> Option<String> {
    let text = text.trim_end_matches('+');
    let is_whole = text.parse::<Version>().is_ok()
        && text.split('.').count() == 3
        && text.starts_with(&format!("{minor}."));
    is_whole.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::sysroot::Sysroot;

    #[test]
    fn the_version_is_a_whole_text_of_the_program() {
        let found = |bytes: &[u8]| version_in(bytes, "3.11");
        assert_eq!(
            found(b"x\x003.11\x00..\x003.11.2\x00y").as_deref(),
            Some("3.11.2")
        );
        assert_eq!(found(b"/versions/3.11.7\x00").as_deref(), Some("3.11.7"));
        assert_eq!(found(b"\x003.11.0rc1+\x00").as_deref(), Some("3.11.0rc1"));
        assert_eq!(found(b"\x003.11.2\x00\x003.11.3\x00"), None);
        for other in [
            &b"\x003.12.1\x00"[..],
            b"\x0013.11.2\x00",
            b"\x003.11.2",
            b"\x003.11.x\x00",
            b"3.11.",
            b"",
        ] {
            assert_eq!(found(other), None);
        }
    }

    #[test]
    fn build_details_tell_the_version_and_the_binary_interface() {
        let text = r#"{"schema_version": "1.0", "base_prefix": "/usr", "platform": "linux-x86_64",
            "language": {"version": "3.14"}, "implementation": {"name": "cpython", "cache_tag": "cpython-314",
            "version": {"major": 3, "minor": 14, "micro": 0, "releaselevel": "candidate", "serial": 2}},
            "abi": {"flags": ["t"], "extension_suffix": ".cpython-314t-x86_64-linux-gnu.so"}}"#;
        let facts = details(text).unwrap();
        assert_eq!(facts.version, "3.14.0rc2");
        assert_eq!(facts.soabi, "cpython-314t-x86_64-linux-gnu");
        assert!(facts.free_threading);
        for other in [
            text.replace("cpython\"", "pypy\""),
            text.replace("micro", "x"),
            "[".repeat(9),
        ] {
            assert_eq!(details(&other), None, "{other}");
        }
    }

    /// What files tell of the interpreters of this machine is what they say of themselves.
    #[test]
    #[cfg(target_os = "linux")]
    fn files_tell_what_the_interpreter_says_of_itself() {
        let target = Target::of(&|_| None);
        let sysroot = Sysroot::new("/".into(), target, &Machine);
        let mut compared = 0;
        let home = std::env::var_os("HOME")
            .map(PathBuf::from)
            .unwrap_or_default();
        let mut candidates = vec![
            PathBuf::from("/usr/bin/python3"),
            PathBuf::from("/usr/local/bin/python3"),
        ];
        for folder in Machine.list(&home.join(".pyenv/versions")) {
            candidates.push(folder.join("bin/python3"));
        }
        for path in candidates {
            let Ok(said) = Machine.interpreter(&path) else {
                continue;
            };
            if said.implementation != "cpython" {
                continue;
            }
            let mut found = sysroot.interpreter(&path).unwrap();
            for name in ["platform_release", "platform_version"] {
                let value = said.markers.get(name).cloned().unwrap_or_default();
                found.markers.insert(name.to_owned(), value);
            }
            assert_eq!(found, said);
            compared += 1;
        }
        if compared == 0 {
            snakepit_test_tools::skip("a Python of the machine or of pyenv");
        }
    }
}
