//! Durations and sizes as people write them. The operator's file is read by the runtime's `units`, which
//! never sees this one: `tests/units.toml` keeps them equal.

/// `500ms`, `30s`, `2m` or `1h`, in milliseconds.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    measure(text, |unit| match unit {
        "ms" => Some(1),
        "s" => Some(1000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    })
}

/// `512MiB` or `2GB`, in bytes.
pub(super) fn bytes(text: &str) -> Option<u64> {
    measure(text, |unit| match unit {
        "kB" | "KB" => Some(1000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    })
}

fn measure(text: &str, unit: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, name) = text.split_at(digits);
    let count = count.parse::<u64>().ok().filter(|count| *count > 0)?;
    count.checked_mul(unit(name.trim())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attribute_and_the_operator_write_them_alike() {
        let table: toml::Table = include_str!("../../../tests/units.toml").parse().unwrap();
        for (name, read) in [
            ("durations", milliseconds as fn(&str) -> Option<u64>),
            ("sizes", bytes),
        ] {
            let cases = table[name].as_table().unwrap();
            assert!(!cases.is_empty());
            for (text, value) in cases {
                let wanted = value.as_integer().map(|value| value.unsigned_abs());
                assert_eq!(read(text), wanted, "{name}: `{text}`");
            }
        }
    }
}
