//! JSON of our own types, both ways: each becomes a tree and comes back from it. What serde's `derive` writes in one
//! line costs every user's first build its own compilation and that of all that it writes, once for each form of writer
//! and reader, on the path on which everything else waits: so fields are named once more, behind the type, and the
//! compiler holds the two lists against each other.
//!
//! As with `derive`: an `Option` may be missing, any other field may not, and an unknown one is passed over.

use std::collections::BTreeMap;

use crate::json::{self, Object, Value};
use crate::ordered;

/// What has a form in JSON.
pub(crate) trait Written {
    fn tree(&self) -> Value;
}

/// What can be read from it; an error says in words what is wrong with the tree.
pub(crate) trait Read: Sized {
    fn read(tree: Value) -> Result<Self, String>;
}

/// Reads a text.
pub(crate) fn parse<T: Read>(text: &str) -> Result<T, String> {
    T::read(json::parse(text)?)
}

/// Takes a field out of an object.
pub(crate) fn field<T: Read>(object: &mut Object, name: &str) -> Result<T, String> {
    let value = object.remove(name);
    let is_there = value.is_some();
    T::read(value.unwrap_or_default()).map_err(|why| match is_there {
        true => format!("`{name}`: {why}"),
        false => format!("missing field `{name}`"),
    })
}

/// An object.
pub(crate) fn object(tree: Value) -> Result<Object, String> {
    match tree {
        Value::Object(object) => Ok(object),
        other => Err(unwanted("an object", &other)),
    }
}

/// The name of a variant and what it holds: `{"name": value}`, or `"name"` alone.
pub(crate) fn variant(tree: Value) -> Result<(String, Value), String> {
    match tree {
        Value::String(name) => Ok((name, Value::Null)),
        Value::Object(object) if object.len() == 1 => object
            .into_iter()
            .next()
            .ok_or_else(|| "a variant is wanted".to_owned()),
        other => Err(unwanted("a variant", &other)),
    }
}

/// The tree of a variant with what it holds.
pub(crate) fn holding(variant: &str, value: Value) -> Value {
    Value::Object(Object::from([(variant.to_owned(), value)]))
}

/// Puts a field into an object.
pub(crate) fn put(object: &mut Object, name: &str, value: Value) {
    object.insert(name.to_owned(), value);
}

pub(crate) fn unknown_variant(name: &str) -> String {
    format!("unknown variant `{name}`")
}

/// The value itself may be long, and none of a message's business.
fn unwanted(wanted: &str, found: &Value) -> String {
    let kind = match found {
        Value::Null => "`null`",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("{wanted} is wanted, not {kind}")
}

impl Written for String {
    fn tree(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Read for String {
    fn read(tree: Value) -> Result<Self, String> {
        match tree {
            Value::String(text) => Ok(text),
            other => Err(unwanted("a text", &other)),
        }
    }
}

impl Written for bool {
    fn tree(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Read for bool {
    fn read(tree: Value) -> Result<Self, String> {
        tree.as_bool()
            .ok_or_else(|| unwanted("`true` or `false`", &tree))
    }
}

impl Written for u64 {
    fn tree(&self) -> Value {
        Value::from(*self)
    }
}

impl Read for u64 {
    fn read(tree: Value) -> Result<Self, String> {
        tree.as_u64()
            .ok_or_else(|| unwanted("a whole number that is not negative", &tree))
    }
}

impl Written for u32 {
    fn tree(&self) -> Value {
        Value::from(u64::from(*self))
    }
}

impl<T: Written> Written for Option<T> {
    fn tree(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::tree)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(tree: Value) -> Result<Self, String> {
        match tree {
            Value::Null => Ok(None),
            there => T::read(there).map(Some),
        }
    }
}

impl<T: Written> Written for Box<T> {
    fn tree(&self) -> Value {
        T::tree(self)
    }
}

impl<T: Read> Read for Box<T> {
    fn read(tree: Value) -> Result<Self, String> {
        T::read(tree).map(Self::new)
    }
}

impl<T: Written> Written for Vec<T> {
    fn tree(&self) -> Value {
        let mut items = Vec::with_capacity(self.len());
        for item in self {
            items.push(item.tree());
        }
        Value::Array(items)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(tree: Value) -> Result<Self, String> {
        let Value::Array(items) = tree else {
            return Err(unwanted("a list", &tree));
        };
        let mut read = Self::with_capacity(items.len());
        for item in items {
            read.push(T::read(item)?);
        }
        Ok(read)
    }
}

/// A pair is a list of two.
impl<A: Written, B: Written> Written for (A, B) {
    fn tree(&self) -> Value {
        Value::Array(vec![self.0.tree(), self.1.tree()])
    }
}

impl<A: Read, B: Read> Read for (A, B) {
    fn read(tree: Value) -> Result<Self, String> {
        match <[Value; 2]>::try_from(Vec::read(tree)?) {
            Ok([one, other]) => Ok((A::read(one)?, B::read(other)?)),
            Err(items) => Err(unwanted("a pair", &Value::Array(items))),
        }
    }
}

impl Read for Value {
    fn read(tree: Value) -> Result<Self, String> {
        Ok(tree)
    }
}

/// The keys of a map are texts.
macro_rules! map {
    ($name:ty) => {
        impl<T: Written> Written for $name {
            fn tree(&self) -> Value {
                let mut object = Object::new();
                for (key, value) in self.iter() {
                    put(&mut object, key, value.tree());
                }
                Value::Object(object)
            }
        }

        impl<T: Read> Read for $name {
            fn read(tree: Value) -> Result<Self, String> {
                let mut read = Self::new();
                for (key, value) in object(tree)? {
                    read.insert(key, T::read(value)?);
                }
                Ok(read)
            }
        }
    };
}

map!(BTreeMap<String, T>);
map!(ordered::Map<String, T>);

/// Writes a struct as an object.
macro_rules! written {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Written for $name {
            fn tree(&self) -> crate::json::Value {
                let Self { $($field),* } = self;
                let mut object = crate::json::Object::new();
                $($crate::wire::put(&mut object, stringify!($field), $crate::wire::Written::tree($field));)*
                crate::json::Value::Object(object)
            }
        }
    };
}

/// Reads a struct from an object.
macro_rules! read {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Read for $name {
            fn read(tree: crate::json::Value) -> Result<Self, String> {
                let mut object = $crate::wire::object(tree)?;
                Ok(Self { $($field: $crate::wire::field(&mut object, stringify!($field))?),* })
            }
        }
    };
}

/// Both ways.
macro_rules! record {
    ($($struct:tt)*) => {
        $crate::wire::written!($($struct)*);
        $crate::wire::read!($($struct)*);
    };
}

/// An enum whose variants have fields, both ways: `{"Variant": {"field": ...}}`.
macro_rules! variants {
    ($name:ident { $($variant:ident { $($field:ident),* $(,)? }),* $(,)? }) => {
        impl $crate::wire::Written for $name {
            fn tree(&self) -> crate::json::Value {
                let mut object = crate::json::Object::new();
                let variant = match self {
                    $(Self::$variant { $($field),* } => {
                        $($crate::wire::put(&mut object, stringify!($field), $crate::wire::Written::tree($field));)*
                        stringify!($variant)
                    })*
                };
                $crate::wire::holding(variant, crate::json::Value::Object(object))
            }
        }

        impl $crate::wire::Read for $name {
            fn read(tree: crate::json::Value) -> Result<Self, String> {
                let (variant, tree) = $crate::wire::variant(tree)?;
                let mut object = $crate::wire::object(tree)?;
                Ok(match variant.as_str() {
                    $(stringify!($variant) => Self::$variant {
                        $($field: $crate::wire::field(&mut object, stringify!($field))?),*
                    },)*
                    other => return Err($crate::wire::unknown_variant(other)),
                })
            }
        }
    };
}

/// An enum that a script of ours writes, both ways: its variant is one of the object's fields.
macro_rules! tagged {
    ($name:ident by $tag:literal { $($text:literal => $variant:ident { $($field:ident),* $(,)? }),* $(,)? }) => {
        impl $crate::wire::Written for $name {
            fn tree(&self) -> crate::json::Value {
                let mut object = crate::json::Object::new();
                let variant = match self {
                    $(Self::$variant { $($field),* } => {
                        $($crate::wire::put(&mut object, stringify!($field), $crate::wire::Written::tree($field));)*
                        $text
                    })*
                };
                $crate::wire::put(&mut object, $tag, crate::json::Value::from(variant));
                crate::json::Value::Object(object)
            }
        }

        impl $crate::wire::Read for $name {
            fn read(tree: crate::json::Value) -> Result<Self, String> {
                let mut object = $crate::wire::object(tree)?;
                let variant: String = $crate::wire::field(&mut object, $tag)?;
                Ok(match variant.as_str() {
                    $($text => Self::$variant {
                        $($field: $crate::wire::field(&mut object, stringify!($field))?),*
                    },)*
                    other => return Err($crate::wire::unknown_variant(other)),
                })
            }
        }
    };
}

pub(crate) use {read, record, tagged, variants, written};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Check, EnvOp, Metadata, Outcome, Parameter, ParameterKind};

    #[test]
    fn what_was_written_is_read_as_the_same() {
        let op = EnvOp::Set {
            name: "A".to_owned(),
            value: "b".to_owned(),
        };
        let text = op.tree().to_string();
        assert_eq!(text, r#"{"Set":{"name":"A","value":"b"}}"#);
        assert_eq!(parse::<EnvOp>(&text).unwrap(), op);
        let outcome = Outcome::Failed(Vec::new());
        let text = outcome.tree().to_string();
        assert_eq!(text, r#"{"Failed":[]}"#);
        assert_eq!(parse::<Outcome>(&text).unwrap(), outcome);
        for kind in ParameterKind::ALL {
            let text = kind.tree().to_string();
            assert_eq!(text, format!("\"{kind:?}\""));
            assert_eq!(parse::<ParameterKind>(&text).unwrap(), kind);
        }
        let pairs = vec![(1, Some("a".to_owned())), (u64::MAX, None)];
        assert_eq!(
            pairs.tree().to_string(),
            r#"[[1,"a"],[18446744073709551615,null]]"#
        );
        assert_eq!(
            Vec::<(u64, Option<String>)>::read(pairs.tree()).unwrap(),
            pairs
        );
    }

    #[test]
    fn only_what_is_optional_may_be_missing_and_more_does_not_matter() {
        let text = r#"{"more": [1], "kind": "VarKeyword", "name": "a", "default": null}"#;
        let parameter: Parameter = parse(text).unwrap();
        assert_eq!((parameter.default, parameter.annotation), (None, None));
        for (text, why) in [
            (r#"{"kind": "VarKeyword"}"#, "missing field `name`"),
            (r#"{"kind": "Var", "name": "a"}"#, "`Var`"),
            (
                r#"{"kind": "VarKeyword", "name": 1}"#,
                "`name`: a text is wanted, not a number",
            ),
            ("[]", "an object is wanted, not a list"),
            ("{", "the text ends where a name in quotes is wanted"),
        ] {
            let error = parse::<Parameter>(text).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        for text in ["{}", "\"Size\"", r#"{"Size": {}}"#, r#"{"Age": {}}"#, "1"] {
            assert!(parse::<Check>(text).is_err(), "{text}");
        }
        for text in ["[[1]]", "[[-1, null]]", "[[1, 2]]", "{}"] {
            assert!(parse::<Vec<(u64, Option<String>)>>(text).is_err(), "{text}");
        }
        let metadata = parse::<Metadata>("{}").unwrap_err();
        assert!(metadata.contains("missing field `environment`"));
    }
}
