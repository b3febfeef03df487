//! Keeps secrets out of what is printed.

/// What stands for a secret.
pub(super) const MASK: &str = "***";

/// Parts of names that tell of a secret.
const WORDS: [&str; 10] = [
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

/// Whether a field of this name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    WORDS.iter().any(|word| name.contains(word))
}

/// A line of a body, of JSON or of a query without the values behind a secret's name. An expression is no secret.
pub(super) fn mask_line(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, separator, after)) = split_at_separator(rest) {
        masked.push_str(before);
        masked.push(separator);
        rest = after;
        let name = before.trim_end_matches(['"', '\'', ' ', '\\']);
        let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '.');
        let start = name.trim_end_matches(is_word).len();
        if name.get(start..).is_some_and(is_secret_name) {
            let (shown, left) = mask_value(after);
            masked.push_str(&shown);
            rest = left;
        }
    }
    masked.push_str(rest);
    mask_scheme(&masked)
}

fn split_at_separator(text: &str) -> Option<(&str, char, &str)> {
    let (before, _) = text.split_once([':', '='])?;
    let mut after = text.get(before.len()..)?.chars();
    let separator = after.next()?;
    Some((before, separator, after.as_str()))
}

/// The value at the beginning of a text, masked, and what is behind it.
fn mask_value(text: &str) -> (String, &str) {
    let value = text.trim_start_matches([' ', '\t']);
    let (blank, value) = text.split_at_checked(text.len() - value.len()).unwrap_or(("", text));
    let inner = value.trim_start_matches(['\\', '"', '\'']);
    let (quote, inner) = value.split_at_checked(value.len() - inner.len()).unwrap_or(("", value));
    let ends = |character: char| match quote.chars().last() {
        Some(quote) => character == quote || character == '\\',
        None => matches!(character, ',' | '}' | ']' | '&'),
    };
    let end = inner.find(ends).unwrap_or(inner.len());
    let (secret, rest) = inner.split_at_checked(end).unwrap_or((inner, ""));
    let is_shown = secret.trim().is_empty() || is_expression(secret);
    (format!("{blank}{quote}{}", if is_shown { secret } else { MASK }), rest)
}

/// Whether a text is one expression and nothing else.
fn is_expression(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1
}

/// A token behind the word that announces it.
fn mask_scheme(line: &str) -> String {
    for scheme in ["Bearer ", "Basic "] {
        let Some((before, after)) = line.split_once(scheme) else {
            continue;
        };
        let end = after.find(|character: char| character.is_whitespace() || character == '"');
        let (token, rest) = after.split_at_checked(end.unwrap_or(after.len())).unwrap_or((after, ""));
        if token.len() >= 8 && !token.starts_with("{{") {
            return format!("{before}{scheme}{MASK}{rest}");
        }
    }
    line.to_owned()
}

#[cfg(test)]
mod tests {
    use super::mask_line;

    #[test]
    fn values_behind_the_name_of_a_secret_are_masked() {
        for (line, masked) in [
            (r#"  "client_secret": "abc","#, r#"  "client_secret": "***","#),
            (r#"{"x":1,"client_secret":"a,b","y":2}"#, r#"{"x":1,"client_secret":"***","y":2}"#),
            (r#"{\"password\":\"abc\"}"#, r#"{\"password\":\"***\"}"#),
            ("https://x/?token=abc&a=1", "https://x/?token=***&a=1"),
            (r#""token": "{{ access_token }}""#, r#""token": "{{ access_token }}""#),
            ("refresh_token: abc", "refresh_token: ***"),
            ("say Bearer abcdefghi now", "say Bearer *** now"),
            (r#""Authorization": "Bearer abcdefghi""#, r#""Authorization": "***""#),
            (r#""voiceCallId": "0LQ:1=2""#, r#""voiceCallId": "0LQ:1=2""#),
            ("token:", "token:"),
            ("é=ü token='😀", "é=ü token='***"),
        ] {
            assert_eq!(mask_line(line), masked);
        }
    }
}
