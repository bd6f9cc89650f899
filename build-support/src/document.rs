//! TOML files: lock files and settings, as the tree that answers in JSON come in. `toml` makes a tree of its own only
//! by way of serde, which a first build would compile for nothing else.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::host::Host;
use crate::json::{Object, Value};

/// A table of a file, or all of it.
pub(crate) type Table = Object;

/// Reads a file, which decides what is built and means nothing to the program.
///
/// # Errors
/// What is wrong with it, in words that go on after its name.
pub(crate) fn read(file: &Path, host: &dyn Host) -> Result<Table, String> {
    let bytes = host
        .consult(file)
        .map_err(|error| format!("cannot be read: {error}"))?;
    let text = str::from_utf8(&bytes).map_err(|_| "is not UTF-8".to_owned())?;
    parse(text).map_err(|why| format!("is no TOML: {why}"))
}

/// Reads a file's text.
///
/// # Errors
/// Why it is no TOML, in words.
pub(crate) fn parse(text: &str) -> Result<Table, String> {
    let document = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    table(document.get_ref())
}

fn table(table: &DeTable<'_>) -> Result<Table, String> {
    let mut found = Table::new();
    for (key, entry) in table {
        found.insert(key.get_ref().clone().into_owned(), value(entry.get_ref())?);
    }
    Ok(found)
}

/// A date is its text, and a number that JSON does not have, such as `nan`, is nothing.
fn value(found: &DeValue<'_>) -> Result<Value, String> {
    Ok(match found {
        DeValue::String(text) => Value::String(text.clone().into_owned()),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Value::from)
            .map_err(|_| format!("`{number}` has no 64 bits"))?,
        DeValue::Float(number) => {
            let number: Option<f64> = number.as_str().parse().ok();
            Value::from(number)
        }
        DeValue::Datetime(time) => Value::String(time.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| value(item.get_ref()));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(inner) => Value::Object(table(inner)?),
    })
}

#[cfg(test)]
mod tests {
    use crate::json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_is_read() {
        let text = "a = \"\\u00e9\"\nb.c = [1, -0x1, {d = true}]\ne = 1979-05-27T07:32:00Z\nf = [1.5, inf]\n\
                    [[g]]\nh = '''\nx'''\n[[g]]\n";
        let text = text.replace("-0x1", "0x1f");
        let wanted = json!({
            "a": "\u{e9}", "b": {"c": [1, 31, {"d": true}]}, "e": "1979-05-27T07:32:00Z", "f": [1.5, null],
            "g": [{"h": "x"}, {}],
        });
        assert_eq!(Value::Object(parse(&text).unwrap()), wanted);
    }

    #[test]
    fn what_is_no_toml_is_refused_in_words() {
        let deep = "a = ".to_owned() + &"[".repeat(100_000);
        for text in ["a", "a = 1\na = 2", "a = 9223372036854775808", &deep] {
            assert!(!parse(text).unwrap_err().is_empty());
        }
        assert_eq!(parse("").unwrap(), Table::new());
    }
}
