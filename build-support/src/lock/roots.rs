//! Paths that hold on another machine: a path in one of a few named folders is written as `{name}/rest`. All else,
//! such as `/usr/bin/python3`, stays as it is.
//!
//! A brace that stands for itself is doubled. In a longer text, such as a list of paths, each path is looked at.

use std::path::{Component, Path, PathBuf};

use crate::choice;
use crate::environment::{Config, conda_installation, pyenv_root, uv_pythons};
use crate::host::Host;

/// The names, the narrowest first. `SNAKEPIT_ROOT_NAME` says where one is in an offline build.
pub(crate) const NAMES: &[&str] = &["package", "workspace", "uv", "pyenv", "conda", "home"];

/// What ends a path within a text, as far as it can be told.
const ENDS: &[char] = &[' ', '\t', '\n', ':', ',', ';', '`', '\'', '"'];

/// The named folders of one machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roots {
    /// Names and absolute paths.
    known: Vec<(&'static str, String)>,
}

/// What is wrong with a text that may have roots in it, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RootFault {
    /// It is not written like one.
    Invalid(String),
    /// This machine does not tell where the folder of this name is.
    Unknown(&'static str),
}

/// A part of a text.
enum Part<'a> {
    Text(&'a str),
    Root(&'static str),
}

impl Roots {
    /// Those of the machine that has a package's environments.
    pub(crate) fn of(package: &Path, host: &dyn Host) -> Self {
        Self::with(package, conda_installation(host), host)
    }

    /// Those of a machine on which nothing is looked for: where conda is it has to be told.
    pub(crate) fn offline(package: &Path, host: &dyn Host) -> Self {
        Self::with(package, None, host)
    }

    fn with(package: &Path, conda: Option<PathBuf>, host: &dyn Host) -> Self {
        let found = [
            Some(package.to_owned()),
            Some(choice::top(package, host)),
            uv_pythons(host),
            pyenv_root(&Config::default(), host),
            conda,
            host.variable("HOME").map(PathBuf::from),
        ];
        let mut roots = Self::default();
        for (name, path) in NAMES.iter().zip(found) {
            let path = path.and_then(|path| folder(&path));
            if let Some(path) =
                path.filter(|path| !roots.known.iter().any(|(_, known)| known == path))
            {
                roots.known.push((name, path));
            }
        }
        roots
    }

    /// One folder, under each of the paths that lead to it.
    pub(crate) fn only(name: &'static str, paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let known = paths.into_iter().filter_map(|path| folder(&path));
        Self {
            known: known.map(|path| (name, path)).collect(),
        }
    }

    /// The same, with what the variables `SNAKEPIT_ROOT_NAME` say.
    #[must_use]
    pub(crate) fn told(mut self, host: &dyn Host) -> Self {
        for name in NAMES {
            if let Some(told) = host.variable(&variable(name)) {
                self.known.retain(|(known, _)| known != name);
                // A relative path tells nothing.
                let path = told.to_str().filter(|path| path.starts_with('/'));
                let path = path.map(|path| path.trim_end_matches('/').to_owned());
                self.known.extend(path.map(|path| (*name, path)));
            }
        }
        self
    }

    /// The text as it holds on another machine.
    pub(crate) fn portable(&self, text: &str) -> String {
        // A build script is not optimised, and most texts are versions.
        if !text.contains(['/', '{']) {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut before = None;
        let mut at = 0;
        while let Some(next) = text[at..].chars().next() {
            if next == '/'
                && !before.is_some_and(is_name)
                && let Some((root, length)) = self.root_at(&text[at..])
            {
                let rest = &text[at + length..];
                let rest = &rest[..rest.find(ENDS).unwrap_or(rest.len())];
                if is_plain(rest) {
                    out.extend(["{", root, "}"]);
                    at += length;
                } else {
                    let path = normal(Path::new(&text[at..at + length + rest.len()]));
                    out.push_str(&self.portable(&path.to_string_lossy()));
                    at += length + rest.len();
                }
                before = text[..at].chars().next_back();
                continue;
            }
            out.push(next);
            if next == '{' {
                out.push('{');
            }
            before = Some(next);
            at += next.len_utf8();
        }
        out
    }

    /// The root that a text begins with, and how long its path is; the longest counts.
    fn root_at(&self, text: &str) -> Option<(&'static str, usize)> {
        let begins = |path: &str| {
            let rest = text.strip_prefix(path);
            rest.is_some_and(|rest| !rest.starts_with(is_name))
        };
        let fitting = self.known.iter().filter(|(_, path)| begins(path));
        let longest = fitting.max_by_key(|(_, path)| path.len());
        longest.map(|(name, path)| (*name, path.len()))
    }

    /// The text of another machine as it is here.
    pub(crate) fn here(&self, text: &str) -> Result<String, RootFault> {
        let mut out = String::with_capacity(text.len());
        for part in parts(text)? {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Root(name) => {
                    let known = self.known.iter().find(|(known, _)| *known == name);
                    out.push_str(&known.ok_or(RootFault::Unknown(name))?.1);
                }
            }
        }
        Ok(out)
    }
}

/// The variable that tells an offline build where a root is.
pub(crate) fn variable(name: &str) -> String {
    format!("SNAKEPIT_ROOT_{}", name.to_uppercase())
}

/// Whether a text of a lock is written as it should be.
pub(crate) fn check(text: &str) -> Result<(), RootFault> {
    parts(text).map(drop)
}

/// Whether a text of a lock that is well written is one path, from a root or from the top, and stays below it.
pub(crate) fn is_path(text: &str) -> bool {
    let is_rooted = text.starts_with('{') && !text.starts_with("{{");
    (is_rooted || text.starts_with('/')) && is_plain(text)
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, RootFault> {
    let invalid = |why: String| Err(RootFault::Invalid(why));
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        parts.push(Part::Text(&rest[..at]));
        rest = &rest[at + 1..];
        if let Some(literal) = rest.strip_prefix('{') {
            parts.push(Part::Text("{"));
            rest = literal;
            continue;
        }
        let Some((name, tail)) = rest.split_once('}') else {
            return invalid(format!("`{text}` has a `{{` without its `}}`"));
        };
        let Some(name) = NAMES.iter().find(|known| **known == name) else {
            let known = NAMES.join("`, `");
            return invalid(format!(
                "`{text}` begins at `{{{name}}}`, but the roots are `{known}`"
            ));
        };
        let path = &tail[..tail.find(ENDS).unwrap_or(tail.len())];
        if path.starts_with(is_name) || !is_plain(path) {
            return invalid(format!("`{text}` leaves its root `{{{name}}}`"));
        }
        parts.push(Part::Root(name));
        rest = tail;
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// Whether what stands behind a root stays in it: no `..`, and nothing that a system would pass over.
fn is_plain(rest: &str) -> bool {
    let mut parts = rest.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        if part == ".." || part == "." || (part.is_empty() && !is_last) {
            return false;
        }
    }
    true
}

/// Whether a character continues the name of a file.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@' | '%' | '~')
}

/// The folder of a root as a text; `/` and relative paths name nothing.
fn folder(path: &Path) -> Option<String> {
    let path = normal(path);
    let is_root = path.is_absolute() && path.parent().is_some();
    path.to_str().filter(|_| is_root).map(str::to_owned)
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = normal.pop(),
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(home: &str) -> Roots {
        Roots {
            known: vec![
                ("package", format!("{home}/work/app")),
                ("workspace", format!("{home}/work")),
                ("home", home.to_owned()),
            ],
        }
    }

    #[test]
    fn a_path_is_written_from_the_narrowest_root_and_read_on_another_machine() {
        for (here, portable, there) in [
            (
                "/home/me/work/app/.venv/bin/python",
                "{package}/.venv/bin/python",
                "/root/work/app/.venv/bin/python",
            ),
            ("/home/me/work/app", "{package}", "/root/work/app"),
            (
                "/home/me/work/apple",
                "{workspace}/apple",
                "/root/work/apple",
            ),
            (
                "/home/me/work/app/../ml/./x",
                "{workspace}/ml/x",
                "/root/work/ml/x",
            ),
            ("/home/me/work/app/../../../../usr", "/usr", "/usr"),
            ("/home/me/.pyenv", "{home}/.pyenv", "/root/.pyenv"),
            ("/home/meg/x", "/home/meg/x", "/home/meg/x"),
            ("/mnt/home/me/x", "/mnt/home/me/x", "/mnt/home/me/x"),
            ("/usr/bin/python3", "/usr/bin/python3", "/usr/bin/python3"),
            ("{home} {", "{{home} {{", "{home} {"),
            (
                "home = /usr/bin\ncommand = /usr/bin/python3 -m venv /home/me/work/app/.venv\n",
                "home = /usr/bin\ncommand = /usr/bin/python3 -m venv {package}/.venv\n",
                "home = /usr/bin\ncommand = /usr/bin/python3 -m venv /root/work/app/.venv\n",
            ),
            (
                "/home/me/a:/x:/home/me/work/b",
                "{home}/a:/x:{workspace}/b",
                "/root/a:/x:/root/work/b",
            ),
            (
                "`uv.lock` in `/home/me/work`",
                "`uv.lock` in `{workspace}`",
                "`uv.lock` in `/root/work`",
            ),
        ] {
            assert_eq!(roots("/home/me").portable(here), portable);
            assert_eq!(roots("/root").here(portable).unwrap(), there);
        }
    }

    #[test]
    fn what_leaves_its_root_is_refused() {
        for text in [
            "{package}/../x",
            "{package}/..",
            "{package}//etc",
            "{package}/./x",
            "{package}x",
            "{nix}/store",
            "{package",
            "a:{home}/../b:c",
        ] {
            let fault = roots("/root").here(text).unwrap_err();
            assert!(matches!(fault, RootFault::Invalid(_)), "{text}: {fault:?}");
        }
        let unknown = roots("/root").here("{conda}/envs/ml").unwrap_err();
        assert_eq!(unknown, RootFault::Unknown("conda"));
    }
}
