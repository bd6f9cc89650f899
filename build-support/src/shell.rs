//! Commands as a person would type them into a shell.

use std::path::Path;

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A path as a shell takes it.
pub(crate) fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// A program with its arguments.
pub(crate) fn command<'a>(program: &Path, args: impl IntoIterator<Item = &'a str>) -> String {
    let mut command = quoted_path(program);
    for arg in args {
        command.push(' ');
        command.push_str(&quoted(arg));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_each_word_as_it_was() {
        for (word, wanted) in [
            ("/usr/bin/python3.12", "/usr/bin/python3.12"),
            ("", "''"),
            ("my app", "'my app'"),
            ("numpy>=2", "'numpy>=2'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quoted(word), wanted);
        }
        let command = command(Path::new("/a b/python3"), ["-c", ""]);
        assert_eq!(command, "'/a b/python3' -c ''");
    }
}
