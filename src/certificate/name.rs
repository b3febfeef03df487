//! The rule for developer names in Salesforce.

/// The longest name Salesforce takes for a certificate.
const LONGEST_NAME: usize = 40;

/// Whether Salesforce takes `name` as a developer name (its "API name" or "unique name").
///
/// The rule is the one its set-up pages print: only letters, digits and underscores, beginning with a
/// letter, no underscore at the end, no two in a row. Certificates allow 40 characters.
///
/// # Errors
/// What is wrong with the name, as a half sentence.
pub fn developer_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("is empty");
    }
    if name.len() > LONGEST_NAME {
        return Err("is longer than 40 characters");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("may hold only letters, digits and underscores");
    }
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("must begin with a letter");
    }
    if name.ends_with('_') {
        return Err("must not end with an underscore");
    }
    if name.contains("__") {
        return Err("must not hold two underscores in a row");
    }
    Ok(())
}
