//! Keeps secrets out of what is printed.

/// What stands for a secret.
pub(super) const MASK: &str = "***";

/// Whether a field of this name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = [
        "authorization",
        "secret",
        "password",
        "passwd",
        "token",
        "cookie",
        "api-key",
        "apikey",
        "api_key",
        "credential",
    ];
    words.iter().any(|word| name.contains(word))
}

/// A line of a body or of JSON without the value behind a secret's name. An expression alone is no secret.
pub(super) fn mask_line(line: &str) -> String {
    let Some((name, value)) = line.split_once([':', '=']) else {
        return mask_bearer(line);
    };
    let inner = value.trim().trim_end_matches(',').trim_matches(['"', '\'']).trim();
    let is_expression = inner.starts_with("{{") && inner.ends_with("}}") && inner.matches("{{").count() == 1;
    if !is_secret_name(name) || inner.is_empty() || is_expression {
        return mask_bearer(line);
    }
    let separator = line.get(name.len()..=name.len()).unwrap_or(":");
    format!("{name}{separator} {MASK}")
}

/// A token behind the word that announces it.
fn mask_bearer(line: &str) -> String {
    for scheme in ["Bearer ", "Basic "] {
        let Some((before, after)) = line.split_once(scheme) else {
            continue;
        };
        let token = after.trim_start();
        let length =
            token.chars().take_while(|character| !character.is_whitespace() && *character != '"').count();
        if length >= 8 && !token.starts_with("{{") {
            let rest: String = token.chars().skip(length).collect();
            return format!("{before}{scheme}{MASK}{rest}");
        }
    }
    line.to_owned()
}
