//! Filling the templates of a flow as Webex does: plain text, no JSON escaping, unset variables leave nothing.

use jiff::Timestamp;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment};

/// A template that cannot be filled.
#[derive(Debug, thiserror::Error)]
#[error("the template cannot be filled: {0}")]
pub struct TemplateError(#[from] minijinja::Error);

/// Fills `template` with the variables. `now()` renders as `2026-11-21T10:00:00.123Z[UTC]`; the filter `replace`
/// takes a map of what to replace by what.
///
/// # Errors
/// When the template uses something that is not known here.
pub fn fill(template: &str, variables: &Value, now: Timestamp) -> Result<String, TemplateError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_function("now", move || format!("{now:.3}[UTC]"));
    environment.add_filter("replace", replace);
    Ok(environment.render_str(template, variables)?)
}

fn replace(text: String, pairs: &Value) -> Result<String, minijinja::Error> {
    pairs.try_iter()?.try_fold(text, |text, from| {
        let to = pairs.get_item(&from)?;
        Ok(text.replace(&from.to_string(), &to.to_string()))
    })
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn filled(template: &str) -> String {
        let now = "2026-11-21T10:00:00.123456Z".parse().unwrap();
        let variables = context! { NewPhoneContact => context! { ANI => "+14693150217" }, Key => "wxcc_1" };
        fill(template, &variables, now).unwrap()
    }

    #[test]
    fn variables_are_put_in_as_they_are() {
        assert_eq!(
            filled("{\"from\": \"{{NewPhoneContact.ANI}}\", \"k\": \"{{ Key }}\"}"),
            "{\"from\": \"+14693150217\", \"k\": \"wxcc_1\"}"
        );
    }

    #[test]
    fn what_is_not_set_leaves_nothing() {
        assert_eq!(filled("[{{Nothing}}][{{NewPhoneContact.DNIS}}]"), "[][]");
    }

    #[test]
    fn the_time_carries_a_suffix_that_authors_strip() {
        assert_eq!(filled("{{now()}}"), "2026-11-21T10:00:00.123Z[UTC]");
        assert_eq!(filled("{{now() | replace({'[UTC]': ''})}}"), "2026-11-21T10:00:00.123Z");
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        assert!(fill("{{ x | reverse_all }}", &context! {}, Timestamp::UNIX_EPOCH).is_err());
    }
}
