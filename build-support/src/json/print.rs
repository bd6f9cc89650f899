//! Tree to text.

use std::fmt::{self, Display, Formatter, Write};

use super::{Number, Object, Value};

/// In one line, and with `{:#}` a line for each value.
impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let style = match f.alternate() {
            true => Style::Lines,
            false => Style::Short,
        };
        style.value(self, 0, f)
    }
}

/// The text that Python's `json.dumps` makes, with sorted keys.
pub(crate) fn python(value: &Value) -> String {
    let mut text = String::new();
    let _ = Style::Python.value(value, 0, &mut text);
    text
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Short,
    Lines,
    /// A space behind `,` and `:`, and everything escaped but what ASCII can show.
    Python,
}

impl Style {
    fn value(self, value: &Value, depth: usize, to: &mut dyn Write) -> fmt::Result {
        match value {
            Value::Null => to.write_str("null"),
            Value::Bool(flag) => write!(to, "{flag}"),
            Value::Number(Number::Whole(number)) => write!(to, "{number}"),
            Value::Number(Number::Negative(number)) => write!(to, "{number}"),
            Value::Number(Number::Float(number)) => {
                let text = format!("{number:?}");
                match text.split_once('e') {
                    // As Python writes it, whose text is digested.
                    Some((digits, exponent)) => {
                        let exponent: i16 =
                            exponent.parse().expect("an exponent is a whole number");
                        write!(to, "{digits}e{exponent:+03}")
                    }
                    None => to.write_str(&text),
                }
            }
            Value::String(text) => self.string(text, to),
            Value::Array(items) => self.array(items, depth, to),
            Value::Object(object) => self.object(object, depth, to),
        }
    }

    fn array(self, items: &[Value], depth: usize, to: &mut dyn Write) -> fmt::Result {
        to.write_char('[')?;
        for (index, item) in items.iter().enumerate() {
            self.begins(index == 0, depth + 1, to)?;
            self.value(item, depth + 1, to)?;
        }
        self.ends(items.is_empty(), depth, to)?;
        to.write_char(']')
    }

    fn object(self, object: &Object, depth: usize, to: &mut dyn Write) -> fmt::Result {
        to.write_char('{')?;
        for (index, (name, value)) in object.iter().enumerate() {
            self.begins(index == 0, depth + 1, to)?;
            self.string(name, to)?;
            to.write_str(if self == Self::Short { ":" } else { ": " })?;
            self.value(value, depth + 1, to)?;
        }
        self.ends(object.is_empty(), depth, to)?;
        to.write_char('}')
    }

    fn begins(self, is_first: bool, depth: usize, to: &mut dyn Write) -> fmt::Result {
        if !is_first {
            to.write_str(if self == Self::Python { ", " } else { "," })?;
        }
        self.line(depth, to)
    }

    fn ends(self, is_empty: bool, depth: usize, to: &mut dyn Write) -> fmt::Result {
        match is_empty {
            true => Ok(()),
            false => self.line(depth, to),
        }
    }

    fn line(self, depth: usize, to: &mut dyn Write) -> fmt::Result {
        match self {
            Self::Lines => write!(to, "\n{:1$}", "", 2 * depth),
            Self::Short | Self::Python => Ok(()),
        }
    }

    fn string(self, text: &str, to: &mut dyn Write) -> fmt::Result {
        let is_special = |byte: u8| match byte {
            b'"' | b'\\' | ..b' ' => true,
            b' '..=b'~' => false,
            _ => self == Self::Python,
        };
        to.write_char('"')?;
        let mut rest = text;
        while let Some(plain) = rest.bytes().position(is_special) {
            to.write_str(&rest[..plain])?;
            let mut letters = rest[plain..].chars();
            match letters.next().expect("the special one is there") {
                '"' => to.write_str("\\\""),
                '\\' => to.write_str("\\\\"),
                '\x08' => to.write_str("\\b"),
                '\x0c' => to.write_str("\\f"),
                '\n' => to.write_str("\\n"),
                '\r' => to.write_str("\\r"),
                '\t' => to.write_str("\\t"),
                letter => {
                    let mut units = [0; 2];
                    let mut units = letter.encode_utf16(&mut units).iter();
                    units.try_for_each(|unit| write!(to, "\\u{unit:04x}"))
                }
            }?;
            rest = letters.as_str();
        }
        to.write_str(rest)?;
        to.write_char('"')
    }
}
