//! What a file of settings says at its top: texts, and lists of texts. It is read event by event, and what is not
//! asked for is passed over: however deep a file nests, and whatever its aliases stand for, it costs no more than its
//! length.

use yaml_rust2::Yaml;
use yaml_rust2::parser::{Event, Parser, Tag};
use yaml_rust2::scanner::TScalarStyle;

use crate::ordered::Map;

/// A value of the first document's mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    /// What of a list is no text is left out.
    List(Vec<String>),
    Other,
}

/// The values of these keys, as far as they are there.
///
/// # Errors
/// The text is no YAML, a key is given twice, or an alias stands for one of its values.
pub(super) fn values<'a>(text: &str, keys: &'a [&'a str]) -> Result<Map<&'a str, Value>, String> {
    let mut parser = Parser::new_from_str(text);
    let mut top = Top {
        keys,
        found: Map::new(),
        depth: 0,
        is_mapping: false,
        turn: Turn::Key,
    };
    let mut is_first = true;
    loop {
        let (event, _) = parser.next_token().map_err(|error| error.to_string())?;
        match event {
            Event::StreamEnd => return Ok(top.found),
            // What follows has to be YAML, too, but it says nothing.
            Event::DocumentEnd => is_first = false,
            event if is_first => top.take(event)?,
            _ => {}
        }
    }
}

/// What comes next in the mapping.
#[derive(Clone, Copy)]
enum Turn<'a> {
    Key,
    Value(&'a str),
    /// The value of a key that nobody asked for.
    Ignored,
}

struct Top<'a> {
    keys: &'a [&'a str],
    found: Map<&'a str, Value>,
    /// How many lists and mappings are open.
    depth: usize,
    is_mapping: bool,
    turn: Turn<'a>,
}

impl Top<'_> {
    fn take(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::MappingStart(..) => self.opens(true),
            Event::SequenceStart(..) => self.opens(false),
            Event::MappingEnd | Event::SequenceEnd => {
                self.depth -= 1;
                self.ends();
            }
            Event::Scalar(text, style, _, tag) => {
                let text = is_text(&text, style, tag.as_ref()).then_some(text);
                self.scalar(text)?;
            }
            Event::Alias(_) => match self.turn {
                Turn::Value(key) if self.depth <= 2 => {
                    return Err(format!("an alias stands for a value of `{key}`"));
                }
                _ => self.ends(),
            },
            _ => {}
        }
        Ok(())
    }

    fn opens(&mut self, is_mapping: bool) {
        match (self.depth, self.turn) {
            (0, _) => self.is_mapping = is_mapping,
            (1, Turn::Value(key)) => {
                let value = match is_mapping {
                    true => Value::Other,
                    false => Value::List(Vec::new()),
                };
                self.found.insert(key, value);
            }
            _ => {}
        }
        self.depth += 1;
    }

    fn scalar(&mut self, text: Option<String>) -> Result<(), String> {
        match (self.depth, self.turn) {
            (1, Turn::Key) if self.is_mapping => {
                let key = self.keys.iter().find(|key| text.as_deref() == Some(**key));
                self.turn = key.map_or(Turn::Ignored, |key| Turn::Value(key));
                if let Some(key) = key.filter(|key| self.found.contains_key(*key)) {
                    return Err(format!("`{key}` is given twice"));
                }
                return Ok(());
            }
            (1, Turn::Value(key)) => {
                let value = text.map_or(Value::Other, Value::Text);
                self.found.insert(key, value);
            }
            (2, Turn::Value(key)) => {
                if let Some(Value::List(list)) = self.found.get_mut(key) {
                    list.extend(text);
                }
            }
            _ => {}
        }
        self.ends();
        Ok(())
    }

    /// A key or a value of the mapping ends where nothing in it is open.
    fn ends(&mut self) {
        if self.depth == 1 && self.is_mapping {
            self.turn = match self.turn {
                Turn::Key => Turn::Ignored,
                Turn::Value(_) | Turn::Ignored => Turn::Key,
            };
        }
    }
}

/// Whether a scalar is a text, and no number or the like.
fn is_text(text: &str, style: TScalarStyle, tag: Option<&Tag>) -> bool {
    match tag {
        _ if style != TScalarStyle::Plain => true,
        Some(tag) => !["bool", "float", "int", "null"].contains(&tag.suffix.as_str()),
        None => matches!(Yaml::from_str(text), Yaml::String(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Value>, String> {
        let found = values(text, &["name", "envs_dirs"])?;
        Ok(found.into_iter().rev().map(|(_, value)| value).collect())
    }

    fn name(text: &str) -> Vec<Value> {
        vec![Value::Text(text.to_owned())]
    }

    #[test]
    fn keys_of_the_first_document_s_mapping_are_found_in_every_way_to_write_them() {
        for text in [
            "name: ml\n",
            "{x: {name: other}, \"name\": 'ml'}",
            "? [name, a]\n: name: other\n? name\n: ml\n",
            "x: [name, other]\nname: &n ml\ny: *n\n",
            "name: !!str ml\n---\nname: other\n",
        ] {
            assert_eq!(read(text).unwrap(), name("ml"), "{text}");
        }
        let list = Value::List(vec!["~/a".to_owned(), "/b".to_owned()]);
        let text = "envs_dirs:\n  - ~/a\n  - [/c]\n  - 3\n  - /b\n";
        assert_eq!(read(text).unwrap(), [list]);
        for other in ["name: 12\n", "name: ~\n", "name: {a: b}\n"] {
            assert_eq!(read(other).unwrap(), [Value::Other], "{other}");
        }
        for nothing in ["", "~\n", "name\n", "- name\n- ml\n", "[name, ml]\n"] {
            assert_eq!(read(nothing).unwrap(), [], "{nothing}");
        }
    }

    #[test]
    fn what_is_no_yaml_and_what_is_not_told_apart_is_refused() {
        for text in [
            "name: [ml\n",
            "name: a\nname: b\n",
            "x: &a ml\nname: *a\n",
            "x: &a /a\nenvs_dirs: [*a]\n",
            "name: ml\n---\n{\n",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn neither_aliases_nor_nesting_make_a_file_cost_more_than_its_length() {
        let mut bomb = "a0: &a0 [x, x]\n".to_owned();
        for level in 1..60 {
            let below = level - 1;
            bomb.push_str(&format!("a{level}: &a{level} [*a{below}, *a{below}]\n"));
        }
        assert_eq!(read(&format!("{bomb}name: ml\n")).unwrap(), name("ml"));
        let deep = format!("x:\n  {}a\nname: ml\n", "- ".repeat(100_000));
        assert_eq!(read(&deep).unwrap(), name("ml"));
    }
}
