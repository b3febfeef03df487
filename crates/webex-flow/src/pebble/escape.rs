//! Texts made fit for other languages.

use std::fmt::Write as _;

/// By a strategy of the filter `escape`; none where there is no such strategy.
pub(super) fn escape(text: &str, strategy: &str) -> Option<String> {
    let write: fn(&mut String, char, char) = match strategy {
        "html" => |out, character, _| html(out, character),
        "json" => |out, character, before| script(out, character, before, false),
        "js" => |out, character, before| script(out, character, before, true),
        "css" => |out, character, _| css(out, character),
        "url_param" => |out, character, _| {
            url(out, character, |c| c.is_ascii_alphanumeric() || "-._~!$'()*,;:@/?".contains(c));
        },
        _ => return None,
    };
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for character in text.chars() {
        write(&mut out, character, before);
        before = character;
    }
    Some(out)
}

/// As `URLEncoder` does for forms.
pub(super) fn url_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ' ' => out.push('+'),
            _ => url(&mut out, character, |c| c.is_ascii_alphanumeric() || "-._*".contains(c)),
        }
    }
    out
}

fn html(out: &mut String, character: char) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        _ => out.push(character),
    }
}

/// Within quotes of JSON or JavaScript: everything beyond ASCII as `\u`, and a slash where it could end a script.
fn script(out: &mut String, character: char, before: char, is_javascript: bool) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\'' if is_javascript => out.push_str("\\'"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        '/' if before == '<' => out.push_str("\\/"),
        '&' => out.push_str(if is_javascript { "\\x26" } else { "\\u0026" }),
        ' '..='~' => out.push(character),
        _ => {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a text cannot fail.
                let _ = match is_javascript && *unit < 0x100 {
                    true => write!(out, "\\x{unit:02X}"),
                    false => write!(out, "\\u{unit:04X}"),
                };
            }
        }
    }
}

fn css(out: &mut String, character: char) {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' => out.push(character),
        '!'..='~' => {
            out.push('\\');
            out.push(character);
        }
        _ => {
            // Writing to a text cannot fail.
            let _ = write!(out, "\\{:X} ", u32::from(character));
        }
    }
}

fn url(out: &mut String, character: char, is_kept: impl Fn(char) -> bool) {
    if is_kept(character) {
        return out.push(character);
    }
    let mut bytes = [0; 4];
    for byte in character.encode_utf8(&mut bytes).bytes() {
        // Writing to a text cannot fail.
        let _ = write!(out, "%{byte:02X}");
    }
}
