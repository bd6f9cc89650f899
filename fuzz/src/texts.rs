//! JSON, as our own reader and writer know it, beside those of `serde_json`.

use crate::json::{parse, python};

/// A text.
///
/// # Panics
/// One of both readers refuses what the other takes, or reads another value; or what is written is read otherwise.
pub(crate) fn json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let wanted = serde_json::from_str::<serde_json::Value>(text);
    let (value, wanted) = match (parse(text), wanted) {
        (Ok(value), Ok(wanted)) => (value, wanted),
        (Err(why), Err(_)) => return assert!(!why.is_empty()),
        (read, wanted) => panic!("{read:?} beside {wanted:?}"),
    };
    assert_eq!(parse(&wanted.to_string()).as_ref(), Ok(&value));
    for again in [value.to_string(), format!("{value:#}"), python(&value)] {
        assert_eq!(parse(&again).as_ref(), Ok(&value), "{again}");
        let theirs: Option<serde_json::Value> = serde_json::from_str(&again).ok();
        assert_eq!(theirs.as_ref(), Some(&wanted), "{again}");
    }
}
