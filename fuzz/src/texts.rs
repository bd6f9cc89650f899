//! JSON, as our own reader and writer know it, beside those of `serde_json`.

use crate::json::{parse, python};

/// A text.
///
/// # Panics
/// One of both readers refuses what the other takes, or the same value is written otherwise.
pub(crate) fn json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let value = match (parse(text), serde_json::from_str::<serde_json::Value>(text)) {
        (Ok(value), Ok(wanted)) => {
            assert_eq!(value.to_string(), wanted.to_string());
            assert_eq!(format!("{value:#}"), format!("{wanted:#}"));
            value
        }
        (Err(why), Err(_)) => return assert!(!why.is_empty()),
        (read, wanted) => panic!("{read:?} beside {wanted:?}"),
    };
    for again in [value.to_string(), format!("{value:#}"), python(&value)] {
        assert_eq!(parse(&again).as_ref(), Ok(&value), "{again}");
    }
}
