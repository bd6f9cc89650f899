//! NaN and infinity have no form in JSON, and `serde_json` writes `null` for them. Here they are an error that names
//! its place. What is written without a `null` holds none and is not looked at again.

use std::fmt::{self, Display, Write};

use serde_core::ser::{self, Serialize, Serializer};
use serde_json::ser::Formatter;

/// Stands around what is `$` in a message, where more than that is written.
const ROOT: &str = "$snakepit::root";

/// The arguments of a call: places in them begin with `$`.
pub(crate) struct Root<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: Serialize + ?Sized> Serialize for Root<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(ROOT, self.0)
    }
}

/// Writes JSON; whether there is a `null` in it, so that the value has to be checked.
///
/// # Errors
/// The value has no JSON form.
pub(super) fn write<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) -> Result<bool, String> {
    let mut has_null = false;
    let noticing = Noticing(&mut has_null);
    value
        .serialize(&mut serde_json::Serializer::with_formatter(json, noticing))
        .map_err(|error| error.to_string())?;
    Ok(has_null)
}

/// Looks for numbers that are not finite.
///
/// # Errors
/// The first one, with its place.
pub(super) fn check<T: Serialize + ?Sized>(value: &T) -> Result<(), String> {
    let mut finder = Finder("$".to_owned());
    value.serialize(&mut finder).map_err(|halt| match halt {
        Halt::Found(what) => format!(
            "`{}` is {what}, which JSON has no form of: send an `Option`, or numbers in a `Buffer`",
            finder.0
        ),
        Halt::Other(message) => message,
    })
}

/// Compact JSON; tells whether a `null` is in it.
struct Noticing<'a>(&'a mut bool);

impl Formatter for Noticing<'_> {
    fn write_null<W: std::io::Write + ?Sized>(&mut self, writer: &mut W) -> std::io::Result<()> {
        *self.0 = true;
        writer.write_all(b"null")
    }
}

/// Goes through a value up to the first number that is not finite; where it is.
struct Finder(String);

/// Why it went no further.
#[derive(Debug)]
enum Halt {
    Found(&'static str),
    Other(String),
}

impl Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Found(what) => what,
            Self::Other(message) => message,
        })
    }
}

impl std::error::Error for Halt {}

impl ser::Error for Halt {
    fn custom<T: Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }
}

impl Finder {
    fn step<T: Serialize + ?Sized>(&mut self, step: impl Display, inside: &T) -> Result<(), Halt> {
        let length = self.0.len();
        let _ = write!(self.0, "{step}");
        inside.serialize(&mut *self)?;
        self.0.truncate(length);
        Ok(())
    }
}

/// A step to what stands under a name.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_word = |name: &str| name.chars().all(|c| c == '_' || c.is_alphanumeric());
        match self.0 {
            name if is_word(name) && !name.is_empty() => write!(f, ".{name}"),
            name => write!(f, "[{name:?}]"),
        }
    }
}

/// What has parts: how many were gone through, the key of the next one, and where it begins.
struct Parts<'a> {
    finder: &'a mut Finder,
    count: usize,
    key: String,
    /// How long the path is outside of it.
    outside: usize,
}

impl Finder {
    fn parts(&mut self, variant: Option<&str>) -> Parts<'_> {
        let outside = self.0.len();
        if let Some(variant) = variant {
            let _ = write!(self.0, "{}", Name(variant));
        }
        Parts {
            finder: self,
            count: 0,
            key: String::new(),
            outside,
        }
    }
}

impl Parts<'_> {
    fn next<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Halt> {
        self.count += 1;
        let step = format_args!("[{}]", self.count - 1);
        self.finder.step(step, value)
    }

    fn named<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Halt> {
        self.finder.step(Name(name), value)
    }

    fn leave(self) {
        self.finder.0.truncate(self.outside);
    }
}

macro_rules! leaves {
    ($($name:ident($($argument:ty),*);)*) => {
        $(fn $name(self, $(_: $argument),*) -> Result<(), Halt> {
            Ok(())
        })*
    };
}

macro_rules! floats {
    ($($name:ident($float:ty);)*) => {
        $(fn $name(self, value: $float) -> Result<(), Halt> {
            match value {
                _ if value.is_finite() => Ok(()),
                _ if value.is_nan() => Err(Halt::Found("NaN")),
                _ => Err(Halt::Found("infinite")),
            }
        })*
    };
}

impl<'a> Serializer for &'a mut Finder {
    type Ok = ();
    type Error = Halt;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    floats! {
        serialize_f32(f32);
        serialize_f64(f64);
    }

    leaves! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Halt> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Halt> {
        if name == ROOT {
            self.0.clear();
            self.0.push('$');
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Halt> {
        self.step(Name(variant), value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Halt> {
        Ok(self.parts(None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Parts<'a>, Halt> {
        Ok(self.parts(None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Halt> {
        Ok(self.parts(None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Halt> {
        Ok(self.parts(Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Halt> {
        Ok(self.parts(None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'a>, Halt> {
        Ok(self.parts(None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Halt> {
        Ok(self.parts(Some(variant)))
    }
}

macro_rules! sequences {
    ($($kind:ident $next:ident;)*) => {
        $(impl ser::$kind for Parts<'_> {
            type Ok = ();
            type Error = Halt;

            fn $next<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Halt> {
                self.next(value)
            }

            fn end(self) -> Result<(), Halt> {
                self.leave();
                Ok(())
            }
        })*
    };
}

macro_rules! structs {
    ($($kind:ident;)*) => {
        $(impl ser::$kind for Parts<'_> {
            type Ok = ();
            type Error = Halt;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Halt> {
                self.named(name, value)
            }

            fn end(self) -> Result<(), Halt> {
                self.leave();
                Ok(())
            }
        })*
    };
}

sequences! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

structs! {
    SerializeStruct;
    SerializeStructVariant;
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Halt;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Halt> {
        let key = serde_json::to_value(key).map_err(ser::Error::custom)?;
        self.key = key
            .as_str()
            .map_or_else(|| key.to_string(), ToOwned::to_owned);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Halt> {
        let key = std::mem::take(&mut self.key);
        self.named(&key, value)
    }

    fn end(self) -> Result<(), Halt> {
        self.leave();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::*;

    fn written<T: Serialize + ?Sized>(value: &T) -> Result<String, String> {
        let mut json = Vec::new();
        if write(&mut json, value)? {
            check(value)?;
        }
        Ok(String::from_utf8(json).unwrap())
    }

    #[derive(Serialize)]
    struct Point {
        x: f32,
        label: Option<&'static str>,
    }

    #[derive(Serialize)]
    enum Shape {
        Circle(f64),
        Line(Point, Point),
        Box { from: Point, sides: [f64; 2] },
    }

    fn point(x: f32) -> Point {
        Point { x, label: None }
    }

    #[test]
    fn what_is_not_finite_is_named_with_its_place_wherever_it_stands() {
        let (nan, infinite) = (f64::NAN, f64::INFINITY);
        let map = BTreeMap::from([("a b", vec![Some(1.0), None, Some(nan)])]);
        let numbers = BTreeMap::from([(7, -infinite)]);
        let cases = [
            (written(&nan), "`$` is NaN"),
            (written(&f32::NEG_INFINITY), "`$` is infinite"),
            (written(&(1, [0.5, infinite])), "`$[1][1]` is infinite"),
            (written(&[point(1.0), point(f32::NAN)]), "`$[1].x` is NaN"),
            (written(&map), "`$[\"a b\"][2]` is NaN"),
            (written(&numbers), "`$.7` is infinite"),
            (written(&Shape::Circle(nan)), "`$.Circle` is NaN"),
            (
                written(&Shape::Line(point(0.0), point(f32::NAN))),
                "`$.Line[1].x` is NaN",
            ),
            (
                written(&Shape::Box {
                    from: point(0.0),
                    sides: [1.0, nan],
                }),
                "`$.Box.sides[1]` is NaN",
            ),
            (written(&("tool", Root(&(1.0, nan)))), "`$[1]` is NaN"),
        ];
        for (outcome, said) in cases {
            let message = outcome.unwrap_err();
            assert!(message.starts_with(said), "{said}: {message}");
        }
    }

    #[test]
    fn everything_else_is_written_as_serde_json_writes_it() {
        let value = (
            (),
            None::<f64>,
            [f64::MAX, -0.0, f64::MIN_POSITIVE],
            Root(&[Shape::Circle(1.5)]),
            serde_json::json!({"nothing": null, "pair": ["é", 1e300]}),
        );
        assert_eq!(written(&value), Ok(serde_json::to_string(&value).unwrap()));
    }
}
