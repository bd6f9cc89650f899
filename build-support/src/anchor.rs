//! Constants of a program that is moved as a whole with its environment: what is below the folder that moves is kept
//! relative to it, as `{anchor}/...`. The program puts the folder there when it starts.

use std::fs;
use std::path::Path;

use crate::environment::absolute;
use crate::lock::Roots;
use crate::manifest::{Check, EnvOp, Fingerprint, Metadata, Resolution};
use crate::ordered::Ordered;

/// The name that stands for the folder.
const NAME: &str = "anchor";

/// The folder, while the program is built.
#[derive(Debug)]
pub struct Movable {
    roots: Roots,
}

impl Movable {
    /// The folder `root` of a package, also under the name that it has with all links followed: interpreters tell
    /// their prefixes so.
    pub fn new(package: &Path, root: &str) -> Self {
        let folder = absolute(package, root);
        let canonical = fs::canonicalize(&folder).ok();
        let known = std::iter::once(folder).chain(canonical);
        Self {
            roots: Roots::only(NAME, known),
        }
    }

    /// The resolution with its paths kept relative.
    pub fn resolution(&self, resolution: &Resolution) -> Resolution {
        let text = |text: &String| self.roots.portable(text);
        let texts = |texts: &[String]| texts.iter().map(text).collect();
        let optional = |optional: &Option<String>| optional.as_ref().map(text);
        let Metadata {
            prefix,
            base_prefix,
            extra,
            ..
        } = &resolution.metadata;
        let extra = extra.iter();
        let lock_files = resolution.fingerprint.lock_files.iter();
        Resolution {
            command: text(&resolution.command),
            args: texts(&resolution.args),
            env: resolution.env.iter().map(|op| self.op(op)).collect(),
            cwd: optional(&resolution.cwd),
            checks: resolution
                .checks
                .iter()
                .map(|check| self.check(check))
                .collect(),
            python_path: texts(&resolution.python_path),
            metadata: Metadata {
                prefix: text(prefix),
                base_prefix: text(base_prefix),
                extra: extra
                    .map(|(name, value)| (name.clone(), text(value)))
                    .ordered(),
                ..resolution.metadata.clone()
            },
            fingerprint: Fingerprint {
                lock_files: lock_files
                    .map(|(path, digest)| (text(path), digest.clone()))
                    .ordered(),
                ..resolution.fingerprint.clone()
            },
            ..resolution.clone()
        }
    }

    fn op(&self, op: &EnvOp) -> EnvOp {
        let text = |text: &String| self.roots.portable(text);
        match op {
            EnvOp::Set { name, value } => EnvOp::Set {
                name: name.clone(),
                value: text(value),
            },
            EnvOp::Prepend { name, value } => EnvOp::Prepend {
                name: name.clone(),
                value: text(value),
            },
            EnvOp::Unset { .. } => op.clone(),
        }
    }

    fn check(&self, check: &Check) -> Check {
        let portable = |text: &String| self.roots.portable(text);
        match check {
            Check::Size { path, bytes } => Check::Size {
                path: portable(path),
                bytes: *bytes,
            },
            // Where and how it was made is in it, too, and differs with each folder that it is built in.
            Check::Content { path, text } if path.ends_with("/pyvenv.cfg") => Check::Settings {
                path: portable(path),
                text: portable(&without_command(text)),
            },
            Check::Content { path, text } | Check::Settings { path, text } => Check::Content {
                path: portable(path),
                text: portable(text),
            },
        }
    }
}

/// The settings of a virtual environment without the line that tells how it was made.
fn without_command(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    let is_kept = |line: &&str| {
        line.split('=')
            .next()
            .is_some_and(|key| key.trim() != "command")
    };
    lines.filter(is_kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_package_in_two_folders_has_the_same_constants() {
        let built = |package: &str| {
            let path = |rest: &str| format!("{package}/bundle/{rest}");
            let config = format!(
                "home = /usr/bin\nversion = 3.11.2\ncommand = /usr/bin/python3 -m venv {}\n",
                path("v")
            );
            let resolution = Resolution {
                command: path("v/bin/python3"),
                env: vec![EnvOp::Prepend {
                    name: "PATH".to_owned(),
                    value: path("v/bin"),
                }],
                checks: vec![Check::Content {
                    path: path("v/pyvenv.cfg"),
                    text: config,
                }],
                python_path: vec![
                    path("python"),
                    format!("{package}/beside"),
                    "/usr/lib/x".to_owned(),
                ],
                ..Resolution::default()
            };
            Movable::new(Path::new(package), "bundle").resolution(&resolution)
        };
        let one = built("/home/me/{app}");
        assert_eq!(one.command, "{anchor}/v/bin/python3");
        let path = ["{anchor}/python", "/home/me/{{app}/beside", "/usr/lib/x"];
        assert_eq!(one.python_path, path);
        let Check::Settings { text, .. } = &one.checks[0] else {
            panic!("{:?}", one.checks);
        };
        assert_eq!(text, "home = /usr/bin\nversion = 3.11.2\n");
        let other = built("/srv/ci/build-7");
        assert_eq!(
            (one.command, one.env, one.checks),
            (other.command, other.env, other.checks)
        );
    }
}
