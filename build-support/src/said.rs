//! What a program printed, as a message shows it.

/// Characters of a line that a message shows.
const MOST: usize = 300;

/// How uv, poetry, conda and others begin the line that says what is wrong.
const ERROR: &str = "error:";

/// The last line of a text that is not empty, cut to a length that fits into a message.
pub(crate) fn last_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(cut(line))
}

/// The same in words.
pub(crate) fn said(text: &str) -> String {
    in_words(last_line(text))
}

/// What a manager complained of, in words: its first line that begins with `error:`, else the last line. Behind that
/// one it shows causes and hints, some in the words of programs that it ran. Of a traceback the last line tells.
pub(crate) fn complained(text: &str) -> String {
    let error = text.lines().find(|line| is_error(line));
    in_words(
        error
            .map(|line| cut(line.trim_end()))
            .or_else(|| last_line(text)),
    )
}

fn is_error(line: &str) -> bool {
    let start = line.get(..ERROR.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(ERROR))
}

fn cut(line: &str) -> String {
    line.chars().take(MOST).collect()
}

fn in_words(line: Option<String>) -> String {
    match line {
        None => "it printed nothing".to_owned(),
        Some(line) => format!("it printed `{line}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_is_not_empty_is_shown_as_it_was_printed() {
        let text = "first\nNameError: name 'x' is not \"y\" in C:\\py\r\n  \n";
        assert_eq!(
            said(text),
            "it printed `NameError: name 'x' is not \"y\" in C:\\py`"
        );
        assert_eq!(said(" \n\n"), "it printed nothing");
    }

    #[test]
    fn of_a_managers_complaint_the_error_is_shown_and_not_the_hint_behind_it() {
        let uv = "Using CPython 3.11.7\nerror: Failed to inspect Python interpreter\n  Caused by: exit status 127\n\n\
                  [stderr]\npyenv: python3.12: command not found\nNote: both\n      to be found at the same time.\n";
        assert_eq!(
            complained(uv),
            "it printed `error: Failed to inspect Python interpreter`"
        );
        assert_eq!(
            complained("Error: no such thing\nTry `--help`."),
            "it printed `Error: no such thing`"
        );
        assert_eq!(
            complained("Traceback:\n  File \"a.py\", line 1\n    error: a\nNameError: a\n"),
            "it printed `NameError: a`"
        );
        assert_eq!(complained("é\n"), "it printed `é`");
        assert_eq!(complained("\n"), "it printed nothing");
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(last_line(&"é".repeat(1000)).unwrap(), "é".repeat(MOST));
    }
}
