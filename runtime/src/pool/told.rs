//! What a worker tells in a JSON object, taken by its keys. Not by serde's `derive`: the first build of every program
//! would wait for its macros, for the sake of three small types.

use serde_core::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};

pub(crate) struct Told(Map<String, Value>);

impl Told {
    /// # Errors
    /// It is no object.
    pub(crate) fn read(json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json).map(Self)
    }

    /// # Errors
    /// Nothing has this key, or it is no such thing.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, key: &'static str) -> serde_json::Result<T> {
        let value = self.0.remove(key);
        let value = value.ok_or_else(|| serde_json::Error::missing_field(key))?;
        T::deserialize(value)
            .map_err(|error| serde_json::Error::custom(format!("`{key}`: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_of_another_type_is_named() {
        let mut told = Told::read(br#"{"pid": "soon", "tools": ["a"], "other": 1}"#).unwrap();
        assert_eq!(told.take::<Vec<String>>("tools").unwrap(), ["a"]);
        let said = |error: serde_json::Error| error.to_string();
        assert_eq!(
            told.take::<u32>("control").map_err(said).unwrap_err(),
            "missing field `control`"
        );
        let error = told.take::<u32>("pid").map_err(said).unwrap_err();
        assert!(error.starts_with("`pid`: invalid type"), "{error}");
        assert!(Told::read(b"[]").is_err());
    }
}
