//! What a translation costs: the usual one, and the hardest that rules can make of it.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use scv_bridge::phone::Translation;

/// Two rules of the vendor's guide: what a call pays.
const USUAL: &str =
    r#"{"Strip":"[1,17]->[^\\d]+","US":"[12,17]->(\\d{1})(\\d{3})(\\d{3})(\\d{4})->+1 $2 $3 $4"}"#;

/// Accepted rules that use up all the steps a translation has: has to stay far below 5 ms.
fn hardest(rule: &str) -> Translation {
    let rules: serde_json::Map<_, _> = (0..100).map(|n| (format!("rule {n}"), rule.into())).collect();
    Translation::parse(&serde_json::Value::from(rules).to_string()).unwrap_or_default()
}

fn translations(criterion: &mut Criterion) {
    let usual = Translation::parse(USUAL).unwrap_or_default();
    criterion.bench_function("two rules", |b| {
        b.iter(|| usual.translate(black_box("+14693150217")));
    });
    criterion.bench_function("no rules", |b| {
        b.iter(|| Translation::default().translate(black_box("+1 469 315 0217")));
    });
    let number = "1".repeat(64);
    for (name, rule) in [
        ("loops in a look-ahead", r"[1,64]->(\d{3})(?=(\d{3})+#)"),
        ("repetitions side by side", r"[1,64]->\d*\d*\d*#"),
        ("a back reference", r"[1,64]->(\d{3,9})\1#"),
        ("a growing number", r"[1,64]->\d?->$&1"),
    ] {
        let translation = hardest(rule);
        assert_eq!(translation.rules(), 100, "{rule}");
        criterion.bench_function(name, |b| b.iter(|| translation.translate(black_box(&number))));
    }
}

criterion_group!(benches, translations);
criterion_main!(benches);
