//! JSONPath, compared with the library that Webex uses.

use proptest::prelude::*;
use serde_json::{Value, json};
use webex_flow::json_path::{JsonPath, PathError, ReadError, table};

const VERDICTS: &str = include_str!("fixtures/jsonpath.json");

#[expect(clippy::expect_used, reason = "a test's own path that does not parse is a fault of the test")]
fn read(path: &str, document: &Value) -> Result<Value, ReadError> {
    JsonPath::parse(path).expect(path).read(document)
}

fn store() -> Value {
    json!({
        "items": [
            {"k": "a", "n": 1, "t": ["p", "q"], "e": []},
            {"k": "b", "n": 2.5, "t": [], "o": {}},
            {"k": "c", "n": "3", "ok": true},
        ],
        "limit": 2,
        "numbers": [4, 1, 3],
    })
}

#[test]
fn all_verdicts_of_the_library_are_shared() {
    let table = table(VERDICTS).unwrap();
    assert_eq!(table.disagreements, Vec::new());
    assert_eq!((table.agree(), table.total), (201, 201));
}

#[test]
fn a_table_of_something_else_is_an_error() {
    assert!(table("[]").is_err());
}

#[test]
fn the_kinds_of_failure_are_told_apart() {
    assert_eq!(JsonPath::parse("").unwrap_err(), PathError::Empty);
    assert!(matches!(JsonPath::parse("$.").unwrap_err(), PathError::Syntax { .. }));
    assert_eq!(JsonPath::parse(&"a".repeat(5000)).unwrap_err(), PathError::TooLong);
    assert!(read("$.none", &store()).unwrap_err().is_not_found());
    assert_eq!(read("$.none", &Value::Null).unwrap_err(), ReadError::NullDocument);
    assert!(matches!(read("$.limit[?(@.a)]", &store()).unwrap_err(), ReadError::NotApplicable { .. }));
    assert!(matches!(read("$.nope()", &store()).unwrap_err(), ReadError::NotApplicable { .. }));
}

#[test]
fn a_path_knows_whether_it_gives_one_value() {
    for (path, definite) in [("$.a[0].b", true), ("$['a','b']", true), ("$..a", false), ("$[0,1]", false)] {
        assert_eq!(JsonPath::parse(path).unwrap().is_definite(), definite, "{path}");
    }
}

#[test]
fn filters_have_the_operators_of_the_library() {
    for (filter, expected) in [
        ("@.n == 1", json!(["a"])),
        ("@.n == '3'", json!(["c"])),
        ("@.n === 3", json!([])),
        ("@.n != 1", json!(["b", "c"])),
        ("@.n > 1", json!(["b"])),
        ("@.n <= $.limit", json!(["a"])),
        ("@.n < 2.50001 && @.n >= 2.5", json!(["b"])),
        ("@.k =~ /[AB]/i", json!(["a", "b"])),
        ("@.k =~ /(a|c)/", json!(["a", "c"])),
        ("@.k =~ /\\w\\w/", json!([])),
        ("@.k in ['a', 'c']", json!(["a", "c"])),
        ("@.k in [a, c]", json!(["a", "c"])),
        ("@.k nin ['a']", json!(["b", "c"])),
        ("@.t subsetof ['p', 'q', 'r']", json!(["a", "b"])),
        ("@.t anyof ['q', 'z']", json!(["a"])),
        ("@.t noneof ['q']", json!(["b"])),
        ("@.t size 2", json!(["a"])),
        ("@.t empty true", json!(["b"])),
        ("@.t contains 'p'", json!(["a"])),
        ("@.k contains 'b'", json!(["b"])),
        ("@.ok", json!(["c"])),
        ("!@.ok", json!(["a", "b"])),
        ("@.ok == true || @.n == 1", json!(["a", "c"])),
        ("!(@.n == 1)", json!(["b", "c"])),
        ("@.t == ['p', 'q']", json!(["a"])),
        ("@.t.length() == 2", json!(["a"])),
        ("@.e", json!(["a"])),
        ("@.none == null", json!([])),
    ] {
        assert_eq!(read(&format!("$.items[?({filter})].k"), &store()).unwrap(), expected, "{filter}");
    }
}

#[test]
fn functions_calculate() {
    for (path, expected) in [
        ("$.numbers.sum()", json!(8.0)),
        ("$.numbers.min()", json!(1.0)),
        ("$.numbers.max()", json!(4.0)),
        ("$.numbers.avg()", json!(8.0 / 3.0)),
        ("$.sum($.numbers, 2)", json!(10.0)),
        ("$.numbers.first()", json!(4)),
        ("$.numbers.last()", json!(3)),
        ("$.numbers.index(1)", json!(1)),
        ("$.numbers.append(9)", json!([4, 1, 3, 9])),
        ("$.numbers.length()", json!(3)),
        ("$.items[0].keys()", json!(["k", "n", "t", "e"])),
        ("$.concat($.items[0].k, \"-\", $.items[1].k)", json!("a-b")),
        // After a scan the children of all that was found are counted, and texts have none.
        ("$..k.length()", json!(0)),
        ("$..t.length()", json!(2)),
    ] {
        assert_eq!(read(path, &store()).unwrap(), expected, "{path}");
    }
}

#[test]
fn slices_and_unions_count_from_both_ends() {
    let list = json!([0, 1, 2, 3, 4]);
    for (path, expected) in [
        ("$[1:3]", json!([1, 2])),
        ("$[-2:]", json!([3, 4])),
        ("$[:-3]", json!([0, 1])),
        ("$[-2000000000:1]", json!([0, 1, 2, 3, 4, 0])),
        ("$[0,-1, 2]", json!([0, 4, 2])),
        ("$[9:]", json!([])),
    ] {
        assert_eq!(read(path, &list).unwrap(), expected, "{path}");
    }
}

#[test]
fn numbers_of_any_size_are_compared_without_being_expanded() {
    let list = json!([{"n": 1}, {"n": 10000000000.0}]);
    assert_eq!(read("$[?(@.n < 1e999999999)].n", &list).unwrap(), json!([1, 10000000000.0]));
    assert_eq!(read("$[?(@.n == 1E10)].n", &list).unwrap(), json!([10000000000.0]));
    assert_eq!(read("$[?(@.n > -0.0)].n", &list).unwrap(), json!([1, 10000000000.0]));
}

#[test]
fn hostile_paths_end() {
    let mut deep = json!(1);
    for _ in 0..120 {
        deep = json!({"a": [deep]});
    }
    let many = Value::from((0..3000).map(|n| json!({"n": n})).collect::<Vec<_>>());
    for path in [
        "$".to_owned() + &"..a".repeat(1000),
        "$".to_owned() + &"..*".repeat(60),
        format!("$[?{}@.n{}]", "(".repeat(1500), ")".repeat(1500)),
        format!("$[?({}@.n)]", "!".repeat(3000)),
        "$".to_owned() + &"[?(@".repeat(900),
        "$.sum(".to_owned() + &"$.sum(".repeat(500) + &")".repeat(501),
        "$..[?($..n == $..n)]".to_owned(),
        "$..[?(@.n =~ /(x+x+)+y/)]".to_owned(),
        "$[?(@.n in [[[[[[[[".to_owned(),
    ] {
        if let Ok(path) = JsonPath::parse(&path) {
            let _ = path.read(&deep);
            let _ = path.read(&many);
        }
    }
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-c@$\\[\\]{}'\" ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c]", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Texts made of what paths are made of, which come further than any text.
fn path_like() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "$", "@", ".", "..", "a", "b", "[", "]", "(", ")", "?", "*", "'", "\"", ",", ":", "-1", "0", "2",
        " ", "&&", "||", "!", "==", "!=", "<", "=~", "/a/", "/", "i", "in", "nin", "size", "empty", "true",
        "null", "contains", "anyof", "length()", "sum(", "concat(", "keys()", "index(", "[?(", ")]", "@.a",
        "$.b", "['a']", "[0]", "[*]", "{", "}", "\\", "\\u", "é", "😀",
    ]);
    prop::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_over_any_document_panics(path in any::<String>(), document in document()) {
        if let Ok(path) = JsonPath::parse(&path) {
            let _ = path.read(&document);
        }
    }

    #[test]
    fn no_text_like_a_path_panics(path in path_like(), document in document()) {
        if let Ok(path) = JsonPath::parse(&path) {
            let _ = path.read(&document);
        }
        if let Ok(path) = JsonPath::parse(&format!("$[?({path})]")) {
            let _ = path.read(&document);
        }
    }
}

#[test]
fn comparisons_of_long_lists_are_counted_too() {
    let items: Vec<Value> = (0..20_000).map(|n| json!({"n": n.to_string(), "all": vec!["a"; 40]})).collect();
    let document = json!({"items": items});
    let literal = format!("[{}]", vec!["'$.a'"; 400].join(","));
    let path = format!("$.items[?(@.all anyof {literal})]");
    assert_eq!(JsonPath::parse(&path).unwrap().read(&document).unwrap_err(), ReadError::TooManySteps);
    let path = "$.items[?(@.n in ['1', '2', '3'])].n";
    assert_eq!(read(path, &document).unwrap(), json!(["1", "2", "3"]));
}

/// Each of these once cost seconds, or some dozen milliseconds for a document of 60 kB, and was not told as too much.
#[test]
fn work_that_items_repeat_is_counted_by_its_size() {
    let numbers: Value = (0..10_000).collect();
    let texts = |text: &str, count: usize| Value::from(vec![text; count]);
    let with_first = |first: Value| {
        Value::from(std::iter::once(first).chain((0..9_000).map(Value::from)).collect::<Vec<_>>())
    };
    let objects = Value::from(vec![json!({"a": 0}); 5_000]);
    let names = vec!["'a'"; 900].join(",");
    for (path, document) in [
        ("$[?($.sum() > 1)]".to_owned(), &numbers),
        ("$[?($.max() == 1)]".to_owned(), &numbers),
        ("$[?($..x == 1)]".to_owned(), &numbers),
        (format!("$[?(@[{names}])]"), &objects),
        ("$[?(@ in $[0])]".to_owned(), &with_first(texts("$.a[?(@.b[?(@.c)])]", 500))),
        ("$[?(@ in $[0])]".to_owned(), &with_first(texts("[a,b,{c:d,e:[1,2,3]}]", 500))),
        ("$[?(@ in $[0])]".to_owned(), &with_first(texts("1e5", 500))),
        ("$[?(@ =~ /[ab]*a[ab]{90}c/)]".to_owned(), &texts(&"abaabbabab".repeat(20), 250)),
        ("$[?(@ < $[0])]".to_owned(), &texts(&"a".repeat(1_000_000), 100)),
    ] {
        assert_eq!(read(&path, document).unwrap_err(), ReadError::TooManySteps, "{path:.60}");
    }
}

#[test]
fn patterns_of_a_path_are_limited_together() {
    let pattern = |states: usize| format!("@ =~ /a{{{states}}}/");
    assert!(JsonPath::parse(&format!("$[?({})]", pattern(1_000))).is_ok());
    let many = vec![pattern(1_000); 8].join(" && ");
    assert!(matches!(JsonPath::parse(&format!("$[?({many})]")), Err(PathError::Syntax { .. })));
}

#[test]
fn a_value_is_compared_where_it_stands_whatever_its_size() {
    let long = "x".repeat(5_000);
    let items: Vec<Value> = (0..10_000).map(|n| json!({"n": n, "rest": [long.as_str()]})).collect();
    let document = json!({"items": items, "all": vec!["y"; 50_000]});
    assert_eq!(read("$.items[?(@.rest size 1 && @.n == 7)].n", &document).unwrap(), json!([7]));
}
