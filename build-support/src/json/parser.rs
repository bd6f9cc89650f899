//! Text to tree. <https://www.rfc-editor.org/rfc/rfc8259>

use super::{Number, Object, Value};

/// How deep lists and objects may nest: the reader calls itself for each. `serde_json` has the same limit.
const DEEPEST: usize = 127;

/// Reads a text.
///
/// # Errors
/// What is wanted instead, and where.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let value = parser.value()?;
    parser.space();
    match parser.at == text.len() {
        true => Ok(value),
        false => Err(parser.wants("nothing more")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn value(&mut self) -> Result<Value, String> {
        self.space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => {
                let start = self.at;
                self.number()
                    .ok_or_else(|| self.wants_at(start, "a number"))
            }
            _ => {
                let words = [
                    ("null", Value::Null),
                    ("true", Value::Bool(true)),
                    ("false", Value::Bool(false)),
                ];
                let found = words
                    .into_iter()
                    .find(|(word, _)| self.rest().starts_with(word));
                let (word, value) = found.ok_or_else(|| self.wants("a value"))?;
                self.at += word.len();
                Ok(value)
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, String>) -> Result<Value, String> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it nests deeper than {DEEPEST} levels"));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, String> {
        let mut object = Object::new();
        if self.takes(b'}') {
            return Ok(Value::Object(object));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wants("a name in quotes"));
            }
            let name = self.string()?;
            if !self.takes(b':') {
                return Err(self.wants("`:`"));
            }
            object.insert(name, self.value()?);
            if self.takes(b'}') {
                return Ok(Value::Object(object));
            }
            if !self.takes(b',') {
                return Err(self.wants("`,` or `}`"));
            }
        }
    }

    fn array(&mut self) -> Result<Value, String> {
        let mut items = Vec::new();
        if self.takes(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.takes(b']') {
                return Ok(Value::Array(items));
            }
            if !self.takes(b',') {
                return Err(self.wants("`,` or `]`"));
            }
        }
    }

    fn string(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let special = |byte: u8| matches!(byte, b'"' | b'\\' | ..b' ');
            let plain = rest.bytes().position(special).unwrap_or(rest.len());
            string.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    let start = self.at;
                    let escaped = self.escaped();
                    string.push(escaped.ok_or_else(|| self.wants_at(start, "a known escape"))?);
                }
                Some(_) => return Err(self.wants("an escape in place of a control character")),
                None => return Err(self.wants("the end of a string")),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let letter = self.rest().as_bytes().get(1)?;
        self.at += 2;
        Some(match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut units = vec![self.unit()?];
                if matches!(units[0], 0xd800..=0xdbff) {
                    self.at += self.rest().starts_with("\\u").then_some(2)?;
                    units.push(self.unit()?);
                }
                return char::decode_utf16(units).next()?.ok();
            }
            _ => return None,
        })
    }

    /// Four digits.
    fn unit(&mut self) -> Option<u16> {
        let digits = self.rest().get(..4)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        self.at += 4;
        u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        let is_negative = self.skips(b'-');
        let whole = self.digits()?;
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let mut is_whole = true;
        if self.skips(b'.') {
            is_whole = false;
            self.digits()?;
        }
        if self.skips(b'e') || self.skips(b'E') {
            is_whole = false;
            let _ = self.skips(b'+') || self.skips(b'-');
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if is_whole
            && !is_negative
            && let Ok(number) = text.parse()
        {
            return Some(Value::Number(Number::Whole(number)));
        }
        // Zero has no sign but as a float.
        if is_whole && let Ok(number @ ..0) = text.parse() {
            return Some(Value::Number(Number::Negative(number)));
        }
        let number: f64 = text.parse().ok()?;
        number.is_finite().then(|| Value::from(number))
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<&'a str> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        self.at += length;
        (length > 0).then(|| &rest[..length])
    }

    fn skips(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    /// Whether this is next, behind white space.
    fn takes(&mut self, byte: u8) -> bool {
        self.space();
        self.skips(byte)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn wants(&self, what: &str) -> String {
        self.wants_at(self.at, what)
    }

    fn wants_at(&self, place: usize, what: &str) -> String {
        if place >= self.text.len() {
            return format!("the text ends where {what} is wanted");
        }
        let before = &self.text.as_bytes()[..place];
        let mut lines = before.rsplit(|byte| *byte == b'\n');
        let column = lines.next().map_or(0, <[u8]>::len) + 1;
        let line = lines.count() + 1;
        format!("{what} is wanted at line {line}, column {column}")
    }
}
