//! A lock as text: TOML that is made for reading in a diff. Keys are sorted, and each fact has a line of its own.

use std::fmt::Write;

use crate::document::Table;
use crate::json::Value;
use crate::ordered::Map;

/// What stands above the facts.
const HEAD: &str =
    "# What the build found and froze for each pool. `cargo snakepit lock` writes it; commit it.\n";

/// The last line: a lock without it was cut off.
pub(super) const END: &str = "# end of the lock";

/// A whole lock.
pub(super) fn written(version: u32, pools: &Map<String, Table>) -> String {
    let mut text = format!("{HEAD}version = {version}\n");
    for (name, pool) in pools.iter() {
        table(&format!("pools.{}", key(name)), pool, &mut text);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    text
}

fn table(path: &str, entries: &Table, text: &mut String) {
    let _ = write!(text, "\n[{path}]\n");
    let (tables, values): (Vec<_>, Vec<_>) = entries
        .iter()
        .filter(|(_, value)| !value.is_null())
        .partition(|(_, value)| value.as_object().is_some_and(|inner| !inner.is_empty()));
    for (name, value) in values {
        let _ = write!(text, "{} = ", key(name));
        match value {
            Value::Array(items) if !items.is_empty() => {
                text.push_str("[\n");
                for item in items {
                    text.push_str("    ");
                    inline(item, text);
                    text.push_str(",\n");
                }
                text.push(']');
            }
            other => inline(other, text),
        }
        text.push('\n');
    }
    for (name, value) in tables {
        if let Value::Object(inner) = value {
            table(&format!("{path}.{}", key(name)), inner, text);
        }
    }
}

/// A value within a line.
fn inline(value: &Value, text: &mut String) {
    match value {
        Value::String(value) => string(value, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                inline(item, text);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            let mut is_first = true;
            text.push('{');
            for (name, value) in entries {
                text.push_str(if is_first { " " } else { ", " });
                let _ = write!(text, "{} = ", key(name));
                inline(value, text);
                is_first = false;
            }
            text.push_str(if is_first { "}" } else { " }" });
        }
        other => _ = write!(text, "{other}"),
    }
}

/// A value as messages show it.
pub(super) fn shown(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::String(value) => text.push_str(value),
        other => inline(other, &mut text),
    }
    text
}

fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(is_bare) {
        return name.to_owned();
    }
    let mut quoted = String::from("\"");
    escaped(name, false, &mut quoted);
    quoted.push('"');
    quoted
}

/// A text; one of several lines has them below each other.
fn string(value: &str, text: &mut String) {
    let is_long = value.contains('\n');
    text.push_str(if is_long { "\"\"\"\n" } else { "\"" });
    escaped(value, is_long, text);
    text.push_str(if is_long { "\"\"\"" } else { "\"" });
}

fn escaped(value: &str, is_long: bool, text: &mut String) {
    for c in value.chars() {
        match c {
            '\n' if is_long => text.push(c),
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\t' => text.push_str("\\t"),
            c if c.is_control() => _ = write!(text, "\\U{:08x}", u32::from(c)),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::json::json;

    use super::*;
    use crate::document;
    use crate::ordered::Ordered;

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let pool = json!({
            "text": "a \"b\" \\ \t\r\u{1b}\u{85} \u{e9}", "long": "one\n\"\"\"\"two\\\n\r\n", "flag": true,
            "number": 5_937_768_u64, "none": {}, "nothing": [],
            "list": ["a", {"path": "x\ny", "deep": {"of": [1, []]}}, {}],
            "table": {"a/b.c": "1", "": "2", "inner": {"x": false}},
        });
        let Value::Object(pool) = pool else {
            unreachable!()
        };
        let pools = [("Config.ml@\"x\"".to_owned(), pool.clone())];
        let pools: Map<_, _> = pools.into_iter().ordered();
        let text = written(1, &pools);
        let read = document::parse(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
        assert_eq!(read["pools"]["Config.ml@\"x\""], Value::Object(pool));
        assert!(text.contains("path = \"\"\"\nx\ny\"\"\""), "{text}");
    }
}
