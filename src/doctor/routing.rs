//! Numbers by which calls are routed: the rules against their examples.

use std::sync::Arc;

use super::engine::Check;
use super::site::Site;
use super::{CheckId, Code, Finding, Text};
use crate::settings::{CallCenter, TranslationExample, WrongExample};

pub(super) fn checks(site: &Arc<Site>) -> Vec<Check> {
    let with_examples = |center: &&CallCenter| !center.translations.examples.is_empty();
    let centers = site.settings.call_centers.values().filter(with_examples);
    let check = |center: &CallCenter| {
        let finding = examples(center);
        Check::new(CheckId::new(Code::Examples, center.name.as_str()), async { finding })
    };
    centers.map(check).collect()
}

fn examples(center: &CallCenter) -> Finding {
    let (wrong, all) = (center.wrong_examples(), center.translations.examples.len());
    if wrong.is_empty() {
        return Finding::ok(format!("all {all} examples are met"));
    }
    let what = format!("{} of {all} examples come out otherwise", wrong.len());
    let finding = Finding::fail("example", what)
        .means("Salesforce gets such numbers in a form that finds no phone channel and no contact")
        .cause("a rule was changed, or its lengths do not cover the number")
        .cause("the example itself is wrong")
        .step(format!(
            "`scv-bridge translate --config FILE --call-center {} --field {} NUMBER` shows what each rule does",
            center.name,
            wrong.first().map_or_else(String::new, |wrong| wrong.example.field.to_string())
        ))
        .step(format!("correct call_centers.{}.translations or its examples", center.name));
    wrong.iter().fold(finding, |finding, wrong| finding.seen(compared(wrong)))
}

/// Both values; masked where they leave the machine.
fn compared(wrong: &WrongExample) -> Text {
    let WrongExample { example: TranslationExample { field, input, output }, got, .. } = wrong;
    let full = got.as_ref().map_or("longer than any number", |got| got.expose());
    let masked = got.as_ref().map_or_else(|| full.to_owned(), ToString::to_string);
    Text::with_twin(
        format!("{field}: {} became {full}, wanted {}", input.expose(), output.expose()),
        format!("{field}: {input} became {masked}, wanted {output}"),
    )
}
