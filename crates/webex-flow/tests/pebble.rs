//! Templates against what Pebble itself made of them.

use webex_flow::pebble::table;

#[test]
fn templates_come_out_as_pebble_lets_them_come_out() {
    let agreement = table(include_str!("fixtures/pebble.json")).unwrap();
    assert_eq!((agreement.total, agreement.reordered), (845, 3));
    let differences: Vec<String> = agreement
        .disagreements
        .iter()
        .map(|one| format!("{} => {:?}, expected {:?}", one.template, one.found, one.expected))
        .collect();
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}
