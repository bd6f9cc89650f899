//! What a program printed, as a message shows it.

/// Characters of a line that a message shows.
const MOST: usize = 300;

/// The last line of a text that is not empty, cut to a length that fits into a message.
pub(crate) fn last_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(line.chars().take(MOST).collect())
}

/// The same in words.
pub(crate) fn said(text: &str) -> String {
    match last_line(text) {
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
    fn a_long_line_is_cut() {
        assert_eq!(last_line(&"é".repeat(1000)).unwrap(), "é".repeat(MOST));
    }
}
