//! JSON as a tree: what interpreters, managers and our own files say, and TOML, too. `serde_json` with all that it
//! brings along took a fifth as long to compile as everything else that a user's first build waits for, and nothing of
//! it but its tree was needed; a test holds this reader and this writer against it.

mod parser;
mod print;

use std::collections::BTreeMap;
use std::ops::Index;

pub(crate) use parser::parse;
pub(crate) use print::python;

/// Values by their names, sorted.
pub(crate) type Object = BTreeMap<String, Value>;

/// A value of JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Value {
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Value>),
    Object(Object),
}

/// A number, as exact as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Whole(u64),
    /// Below zero.
    Negative(i64),
    /// Neither infinite nor NaN.
    Float(f64),
}

/// Without NaN each number equals itself.
impl Eq for Number {}

impl Value {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(Number::Whole(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(Number::Whole(number)) => i64::try_from(*number).ok(),
            Self::Number(Number::Negative(number)) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&Vec<Self>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A field of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.get(name)
    }
}

/// A field of an object, and nothing where there is none.
impl Index<&str> for Value {
    type Output = Self;

    fn index(&self, name: &str) -> &Self {
        self.get(name).unwrap_or(&Self::Null)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(Number::Whole(number))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(match u64::try_from(number) {
            Ok(whole) => Number::Whole(whole),
            Err(_) => Number::Negative(number),
        })
    }
}

/// JSON has no form of infinity and NaN.
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        match number.is_finite() {
            true => Self::Number(Number::Float(number)),
            false => Self::Null,
        }
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, T::into)
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Array(items.into_iter().map(T::into).collect())
    }
}

/// A tree, written down in a test.
#[cfg(test)]
macro_rules! json {
    ($($tree:tt)*) => {
        $crate::json::parse(&serde_json::json!($($tree)*).to_string()).unwrap()
    };
}

#[cfg(test)]
pub(crate) use json;

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What serde_json makes of a text, as this tree.
    fn reference(value: &serde_json::Value) -> Value {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(flag) => Value::Bool(*flag),
            serde_json::Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(whole), _) => Value::from(whole),
                (None, Some(negative)) => Value::from(negative),
                _ => Value::from(number.as_f64().unwrap()),
            },
            serde_json::Value::String(text) => Value::from(text.as_str()),
            serde_json::Value::Array(items) => Value::Array(items.iter().map(reference).collect()),
            serde_json::Value::Object(object) => {
                let fields = object.iter();
                Value::Object(
                    fields
                        .map(|(name, value)| (name.clone(), reference(value)))
                        .collect(),
                )
            }
        }
    }

    const TEXTS: &[&str] = &[
        "",
        " ",
        "null",
        "nul",
        "nullx",
        "true",
        " false\n",
        "0",
        "-0",
        "00",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1.5",
        "1e5",
        "1E+5",
        "1e-7",
        "1e",
        "1e999",
        "-1e999",
        "5e-324",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "0x1",
        "NaN",
        "Infinity",
        "\"\"",
        "\"a",
        "\"a\\",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\a\"",
        "\"\\u00e9\\ud83d\\ude00\\u0000\"",
        "\"\\ud83d\"",
        "\"\\ude00\"",
        "\"\\ud83d\\u0041\"",
        "\"\\ud83dx\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u+123\"",
        "\"\u{e9}\u{1f600}\u{7f}\u{2028}\"",
        "\"\t\"",
        "\"\u{0}\"",
        "[]",
        "[ ]",
        "[1, [2, {}], \"a\"]",
        "[1,]",
        "[,]",
        "[1 2]",
        "[",
        "]",
        "[1}",
        "{}",
        "{ \"b\" : 1 , \"a\" : {\"c\": [null]} }",
        "{\"a\": 1, \"a\": 2}",
        "{\"a\"}",
        "{\"a\": }",
        "{\"a\": 1,}",
        "{a: 1}",
        "{1: 1}",
        "{\"a\" 1}",
        "{",
        "{} {}",
        "\u{feff}{}",
        "// a\n1",
    ];

    #[test]
    fn the_same_is_read_as_by_serde_json_and_the_same_refused() {
        for text in TEXTS {
            let wanted: Option<serde_json::Value> = serde_json::from_str(text).ok();
            assert_eq!(parse(text).ok(), wanted.as_ref().map(reference), "{text}");
        }
    }

    #[test]
    fn the_same_is_written_as_by_serde_json_and_read_by_it() {
        for text in TEXTS {
            if let Ok(wanted) = serde_json::from_str::<serde_json::Value>(text) {
                let value = parse(text).unwrap();
                // Python writes two digits of an exponent, and so do we.
                if *text != "1e-7" {
                    assert_eq!(value.to_string(), wanted.to_string());
                    assert_eq!(format!("{value:#}"), format!("{wanted:#}"));
                }
                for again in [value.to_string(), format!("{value:#}"), python(&value)] {
                    assert_eq!(serde_json::from_str(&again).ok().as_ref(), Some(&wanted));
                    assert_eq!(parse(&again).as_ref(), Ok(&value));
                }
            }
        }
    }

    #[test]
    fn python_s_own_writer_agrees() {
        let script =
            "import json, sys; print(end=json.dumps(json.loads(sys.argv[1]), sort_keys=True))";
        let letters: String = (0..0x100)
            .chain(0x1f600..0x1f610)
            .filter_map(char::from_u32)
            .collect();
        let texts = TEXTS.iter().filter(|text| parse(text).is_ok());
        // Python's own numbers are whole however long they are.
        let texts = texts.filter(|text| {
            !text.contains("844674407370955161") && **text != "-0" && !text.starts_with("-9")
        });
        let mut texts: Vec<String> = texts.map(|text| (*text).to_owned()).collect();
        texts.push(Value::from(letters).to_string());
        texts
            .push("[0.00001, 0.0001, 0.00012, 1e15, 1e16, 12e299, 1.5, -2, true, null]".to_owned());
        let text = format!("[{}]", texts.join(","));
        let python3 = &snakepit_test_tools::python().path;
        let answer = Command::new(python3)
            .args(["-c", script, &text])
            .output()
            .unwrap();
        assert!(answer.status.success(), "{answer:?}");
        let wanted = String::from_utf8(answer.stdout).unwrap();
        assert_eq!(python(&parse(&text).unwrap()), wanted);
    }

    #[test]
    fn what_nests_without_an_end_is_refused() {
        for open in ["[", "{\"a\":"] {
            let why = parse(&open.repeat(100_000)).unwrap_err();
            assert!(why.contains("nests"), "{why}");
        }
        for depth in [127, 128] {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            let wanted = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            assert_eq!(parse(&text).is_ok(), wanted, "{depth}");
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        for (text, why) in [
            ("", "the text ends where a value is wanted"),
            ("{\n  \"a\": nil}", "a value is wanted at line 2, column 8"),
            ("[1 2]", "`,` or `]` is wanted at line 1, column 4"),
            ("1 2", "nothing more is wanted at line 1, column 3"),
            ("[01]", "a number is wanted at line 1, column 2"),
            ("1e999", "a number is wanted at line 1, column 1"),
            ("[\"\\a\"]", "a known escape is wanted at line 1, column 3"),
            (
                "[\"\t\"]",
                "an escape in place of a control character is wanted at line 1, column 3",
            ),
            ("[\"a", "the text ends where the end of a string is wanted"),
        ] {
            assert_eq!(parse(text).unwrap_err(), why);
        }
    }
}
