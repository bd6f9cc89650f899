//! SHA-256 of what a lock compares by its content.

/// A digest as lock files write it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in hmac_sha256::Hash::hash(bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
