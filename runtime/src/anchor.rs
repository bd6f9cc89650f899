//! The folder that a program's paths start from, where program and environment are moved as a whole.

use std::env;
use std::path::{Path, PathBuf};

use crate::recheck::SpecError;

/// Stands for the folder in the constants.
const MARK: &str = "{anchor}";

/// What tells at start-up where a bundle of program and environment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The folder of the running program, or one that many folders above it.
    Exe {
        /// How many.
        above: usize,
    },
    /// The folder that a variable of the environment names, as an absolute path.
    Env(&'static str),
}

impl Anchor {
    /// The folder. Whether it is there show the files that are looked for in it.
    pub(crate) fn folder(&self, pool: &'static str) -> Result<String, SpecError> {
        let wrong = |found: String| SpecError::Anchor {
            pool,
            anchor: *self,
            found,
        };
        let folder = match self {
            Self::Exe { above } => {
                let program = env::current_exe();
                let program = program.map_err(|error| wrong(format!("is not known: {error}")))?;
                let folder = program.ancestors().nth(above + 1).map(Path::to_owned);
                folder.ok_or_else(|| {
                    wrong(format!("is `{}`, too near to the top", program.display()))
                })?
            }
            Self::Env(name) => match env::var_os(name) {
                Some(value) if !value.is_empty() => PathBuf::from(value),
                Some(_) => return Err(wrong("is empty".to_owned())),
                None => return Err(wrong("is not set".to_owned())),
            },
        };
        if !folder.is_absolute() {
            return Err(wrong(format!(
                "is `{}`, which is no absolute path",
                folder.display()
            )));
        }
        match folder.to_str() {
            Some(text) => Ok(text.trim_end_matches('/').to_owned()),
            None => Err(wrong(format!(
                "is `{}`, which is not UTF-8",
                folder.display()
            ))),
        }
    }

    /// A text of the constants with the folder in it; a brace of its own is doubled there.
    pub(crate) fn join(root: &str, text: &str) -> String {
        let mut parts = text.split("{{");
        let mut joined = parts.next().unwrap_or_default().replace(MARK, root);
        for part in parts {
            joined.push('{');
            joined.push_str(&part.replace(MARK, root));
        }
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_put_where_its_mark_is_and_nowhere_else() {
        let join = |text| Anchor::join("/opt/app", text);
        assert_eq!(
            join("{anchor}/python/bin/python3"),
            "/opt/app/python/bin/python3"
        );
        assert_eq!(join("{anchor}"), "/opt/app");
        assert_eq!(join("-X {{anchor}"), "-X {anchor}");
        assert_eq!(join("{{{anchor}/x:{anchor}/y"), "{/opt/app/x:/opt/app/y");
        assert_eq!(Anchor::join("", "{anchor}/python"), "/python");
    }
}
