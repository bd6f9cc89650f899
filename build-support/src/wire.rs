//! JSON of our own types, both ways. What serde's `derive` writes in one line costs every user's first build its own
//! compilation and that of all that it writes, on the path on which everything else waits: so fields are named once
//! more, behind the type, and the compiler holds the two lists against each other.
//!
//! As with `derive`: an `Option` may be missing, any other field may not, and an unknown one is passed over.

use serde_core::de::{DeserializeOwned, Error};
use serde_core::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Takes a field out of an object.
pub(crate) fn field<T: DeserializeOwned>(
    object: &mut Map<String, Value>,
    name: &str,
) -> Result<T, String> {
    let value = object.remove(name);
    let is_there = value.is_some();
    serde_json::from_value(value.unwrap_or_default()).map_err(|error| match is_there {
        true => format!("`{name}`: {error}"),
        false => format!("missing field `{name}`"),
    })
}

/// An object.
pub(crate) fn object<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<String, Value>, D::Error> {
    Map::deserialize(deserializer)
}

/// The name of a variant and what it holds: `{"name": value}`, or `"name"` alone.
pub(crate) fn variant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<(String, Value), D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(name) => Ok((name, Value::Null)),
        Value::Object(object) if object.len() == 1 => object
            .into_iter()
            .next()
            .ok_or_else(|| D::Error::custom("a variant is wanted")),
        other => Err(D::Error::custom(format!(
            "a variant is wanted, not `{other}`"
        ))),
    }
}

/// Writes a struct as an object, its fields in this order.
macro_rules! written {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl serde_core::Serialize for $name {
            fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde_core::ser::SerializeStruct;
                let Self { $($field),* } = self;
                let count = [$(stringify!($field)),*].len();
                let mut object = serializer.serialize_struct(stringify!($name), count)?;
                $(object.serialize_field(stringify!($field), $field)?;)*
                object.end()
            }
        }
    };
}

/// Reads a struct from an object.
macro_rules! read {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl<'de> serde_core::Deserialize<'de> for $name {
            fn deserialize<D: serde_core::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut object = $crate::wire::object(deserializer)?;
                let mut read = || Ok(Self { $($field: $crate::wire::field(&mut object, stringify!($field))?),* });
                read().map_err(<D::Error as serde_core::de::Error>::custom::<String>)
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
        impl serde_core::Serialize for $name {
            fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde_core::ser::SerializeStructVariant;
                match self {
                    $(Self::$variant { $($field),* } => {
                        let count = [$(stringify!($field)),*].len();
                        // JSON has no numbers of variants.
                        let mut object = serializer.serialize_struct_variant(
                            stringify!($name), 0, stringify!($variant), count,
                        )?;
                        $(object.serialize_field(stringify!($field), $field)?;)*
                        object.end()
                    })*
                }
            }
        }

        impl<'de> serde_core::Deserialize<'de> for $name {
            fn deserialize<D: serde_core::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let custom = <D::Error as serde_core::de::Error>::custom::<String>;
                let (variant, value) = $crate::wire::variant(deserializer)?;
                let mut object = $crate::wire::object(value).map_err(|error| custom(error.to_string()))?;
                let mut read = || match variant.as_str() {
                    $(stringify!($variant) => Ok(Self::$variant {
                        $($field: $crate::wire::field(&mut object, stringify!($field))?),*
                    }),)*
                    other => Err(format!("unknown variant `{other}`")),
                };
                read().map_err(custom)
            }
        }
    };
}

/// An enum that a script of ours writes, both ways: its variant is one of the object's fields.
macro_rules! tagged {
    ($name:ident by $tag:literal { $($text:literal => $variant:ident { $($field:ident),* $(,)? }),* $(,)? }) => {
        impl serde_core::Serialize for $name {
            fn serialize<S: serde_core::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde_core::ser::SerializeMap;
                let mut object = serializer.serialize_map(None)?;
                match self {
                    $(Self::$variant { $($field),* } => {
                        object.serialize_entry($tag, $text)?;
                        $(object.serialize_entry(stringify!($field), $field)?;)*
                    })*
                }
                object.end()
            }
        }

        impl<'de> serde_core::Deserialize<'de> for $name {
            fn deserialize<D: serde_core::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut object = $crate::wire::object(deserializer)?;
                let mut read = || match $crate::wire::field::<String>(&mut object, $tag)?.as_str() {
                    $($text => Ok(Self::$variant {
                        $($field: $crate::wire::field(&mut object, stringify!($field))?),*
                    }),)*
                    other => Err(format!("unknown variant `{other}`")),
                };
                read().map_err(<D::Error as serde_core::de::Error>::custom::<String>)
            }
        }
    };
}

pub(crate) use {read, record, tagged, variants, written};

#[cfg(test)]
mod tests {
    use crate::manifest::{Check, EnvOp, Metadata, Outcome, Parameter, ParameterKind};

    #[test]
    fn what_was_written_is_read_as_the_same() {
        let op = EnvOp::Set {
            name: "A".to_owned(),
            value: "b".to_owned(),
        };
        let text = serde_json::to_string(&op).unwrap();
        assert_eq!(text, r#"{"Set":{"name":"A","value":"b"}}"#);
        assert_eq!(serde_json::from_str::<EnvOp>(&text).unwrap(), op);
        let outcome = Outcome::Failed(Vec::new());
        let text = serde_json::to_string(&outcome).unwrap();
        assert_eq!(text, r#"{"Failed":[]}"#);
        assert_eq!(serde_json::from_str::<Outcome>(&text).unwrap(), outcome);
        for kind in ParameterKind::ALL {
            let text = serde_json::to_string(&kind).unwrap();
            assert_eq!(text, format!("\"{kind:?}\""));
            assert_eq!(serde_json::from_str::<ParameterKind>(&text).unwrap(), kind);
        }
    }

    #[test]
    fn only_what_is_optional_may_be_missing_and_more_does_not_matter() {
        let text = r#"{"more": [1], "kind": "VarKeyword", "name": "a", "default": null}"#;
        let parameter: Parameter = serde_json::from_str(text).unwrap();
        assert_eq!((parameter.default, parameter.annotation), (None, None));
        for (text, why) in [
            (r#"{"kind": "VarKeyword"}"#, "missing field `name`"),
            (r#"{"kind": "Var", "name": "a"}"#, "`Var`"),
            (
                r#"{"kind": "VarKeyword", "name": 1}"#,
                "`name`: invalid type",
            ),
            ("[]", "invalid type"),
        ] {
            let error = serde_json::from_str::<Parameter>(text).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
        for text in ["{}", "\"Size\"", r#"{"Size": {}}"#, r#"{"Age": {}}"#, "1"] {
            assert!(serde_json::from_str::<Check>(text).is_err(), "{text}");
        }
        let metadata = serde_json::from_str::<Metadata>("{}").unwrap_err();
        assert!(metadata.to_string().contains("missing field `environment`"));
    }
}
