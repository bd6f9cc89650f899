//! `_sysconfigdata*.py`: how an interpreter was built. It is a Python file with one dictionary, `build_time_vars`, of
//! texts and numbers, which `pprint` writes; long texts stand as several literals beside each other.

use std::collections::BTreeMap;

/// Texts and numbers by name, as far as the dictionary can be read.
pub fn variables(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let Some((_, dictionary)) = text.split_once("build_time_vars") else {
        return found;
    };
    let Some((_, rest)) = dictionary.split_once('{') else {
        return found;
    };
    let mut rest = rest;
    while let Some((key, after)) = texts(rest) {
        let Some(value) = after.trim_start().strip_prefix(':') else {
            return found;
        };
        let value = value.trim_start();
        let (value, after) = texts(value).unwrap_or_else(|| {
            let end = value.find([',', '}', '\n']).unwrap_or(value.len());
            (value[..end].trim().to_owned(), &value[end..])
        });
        found.insert(key, value);
        rest = match after.trim_start().strip_prefix(',') {
            Some(rest) => rest,
            None => return found,
        };
    }
    found
}

/// The texts at the start, put together, and what comes behind them.
fn texts(rest: &str) -> Option<(String, &str)> {
    let (mut text, mut rest) = literal(rest)?;
    while let Some((more, after)) = literal(rest) {
        text.push_str(&more);
        rest = after;
    }
    Some((text, rest))
}

/// The text in quotes at the start.
fn literal(rest: &str) -> Option<(String, &str)> {
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((text, &rest[at + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                other => text.push(other),
            },
            '\n' => return None,
            other => text.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_of_the_dictionary_are_read() {
        let text = "# system configuration generated and used by the sysconfig module\n\
                    build_time_vars = {'ABIFLAGS': '',\n \
                    'AR': \"it's\",\n \
                    'CFLAGS': '-Wall '\n           '-O2 \\'x\\'',\n \
                    'Py_GIL_DISABLED': 1,\n \
                    'SOABI': 'cpython-313t-x86_64-linux-gnu'}\n";
        let found = variables(text);
        assert_eq!(found["ABIFLAGS"], "");
        assert_eq!(found["AR"], "it's");
        assert_eq!(found["CFLAGS"], "-Wall -O2 'x'");
        assert_eq!(found["Py_GIL_DISABLED"], "1");
        assert_eq!(found["SOABI"], "cpython-313t-x86_64-linux-gnu");
    }

    #[test]
    fn what_cannot_be_read_ends_it() {
        for text in [
            "",
            "build_time_vars",
            "build_time_vars = {",
            "build_time_vars = {'A",
            "build_time_vars = {'A\\",
            "build_time_vars = {'A'",
            "build_time_vars = {A: 1}",
        ] {
            assert_eq!(variables(text), BTreeMap::new(), "{text}");
        }
        // Nobody writes a list there: of one its first item is taken for the value.
        let found = variables("build_time_vars = {'A': [1, 2], 'B': 3}");
        let wanted = BTreeMap::from([("A".to_owned(), "[1".to_owned())]);
        assert_eq!(found, wanted);
    }
}
