use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::{EventKind, MappedNames, TaskEnding, TaskEvent};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn attribute(field: &str, path: &str) -> Attribute {
    Attribute { field: field.to_owned(), path: ValuePath::parse(path).unwrap() }
}

fn request(body: &Value, attributes: &[Attribute]) -> PickedValues {
    let fields = body.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value));
    PickedValues::by_request(fields, attributes, 255)
}

fn webhook(data: &Value, attributes: &[Attribute]) -> PickedValues {
    PickedValues::by_webhook(
        data.as_object().unwrap(),
        attributes.iter().map(|attribute| &attribute.path),
        255,
    )
}

struct FieldsUnderTest {
    attributes: Vec<Attribute>,
    queues: BTreeMap<String, String>,
    agents: BTreeMap<String, String>,
    longest: usize,
}

impl FieldsUnderTest {
    fn new(attributes: &[(&str, &str)]) -> Self {
        let attributes = attributes.iter().map(|(field, path)| attribute(field, path)).collect();
        let queues = BTreeMap::from([("q1".to_owned(), "Sales".to_owned())]);
        Self { attributes, queues, agents: BTreeMap::new(), longest: 255 }
    }

    fn fill(&self, knowledge: &KnownValues, own: Option<&str>, moment: FillStage<'_>) -> FilledAttributes {
        let names = MappedNames { queues: &self.queues, agents: &self.agents };
        fill(
            &FieldMapping { attributes: &self.attributes, longest: self.longest, names },
            knowledge,
            own,
            moment,
        )
    }

    fn at_create(&self, body: &Value, own: Option<&str>) -> FilledAttributes {
        let mut knowledge = KnownValues::default();
        knowledge.add_request(at(0), &request(body, &self.attributes));
        self.fill(&knowledge, own, FillStage::Create { parent: None })
    }
}

fn outcomes(filled: &FilledAttributes) -> Vec<(&str, AttributeOutcome)> {
    filled.report.lines.iter().map(|line| (line.field.as_str(), line.outcome)).collect()
}

fn object(filled: &FilledAttributes) -> Value {
    filled.call_attributes.as_deref().map_or(Value::Null, |text| serde_json::from_str(text).unwrap())
}

const LAST: FillStage<'_> = FillStage::Final { create: None, is_created: false };

#[test]
fn a_path_leads_through_objects_lists_and_json_in_texts_and_capitals_count() {
    let fields = FieldsUnderTest::new(&[
        ("A__c", "serviceData.callRecordingId"),
        ("B__c", "request.flowInputParameters.param1"),
        ("C__c", "request.participants.1.participantKey"),
        ("D__c", "request.quoted.inner.0"),
        ("E__c", "servicedata.callRecordingId"),
        ("F__c", "request.serviceData"),
        ("G__c", "request.priority"),
        ("H__c", "request.vip"),
        ("I__c", "request.blank"),
        ("J__c", "request.flowInputParameters.param1.deeper"),
    ]);
    let body = json!({
        "serviceData": { "callRecordingId": "r-1" },
        "flowInputParameters": { "param1": "gold" },
        "participants": [{}, { "participantKey": "k" }],
        "quoted": "{\"inner\": \"[\\\"deep\\\"]\"}",
        "priority": 3, "vip": true, "blank": " ",
    });
    let filled = fields.at_create(&body, None);
    let expected =
        json!({ "A__c": "r-1", "B__c": "gold", "C__c": "k", "D__c": "deep", "G__c": "3", "H__c": "true" });
    assert_eq!(object(&filled), expected);
    let left = outcomes(&filled).into_iter().filter(|(_, outcome)| *outcome != AttributeOutcome::Sent);
    assert_eq!(
        left.collect::<Vec<_>>(),
        [
            ("E__c", AttributeOutcome::NotYet),
            ("F__c", AttributeOutcome::NotText),
            ("I__c", AttributeOutcome::NotYet),
            ("J__c", AttributeOutcome::NotYet)
        ]
    );
}

#[test]
fn a_text_that_is_too_long_is_not_sent_and_not_kept() {
    let fields = FieldsUnderTest::new(&[("A__c", "request.a"), ("B__c", "request.b"), ("C__c", "request.c")]);
    let body = json!({ "a": "x".repeat(256), "b": "y".repeat(255), "c": "😀".repeat(128) });
    let details = request(&body, &fields.attributes);
    assert!(!details.body().unwrap().expose().contains("xx"));
    let filled = fields.at_create(&body, None);
    let too_long = AttributeOutcome::TooLong { length: 256, limit: 255 };
    assert_eq!(outcomes(&filled), [("A__c", too_long), ("B__c", AttributeOutcome::Sent), ("C__c", too_long)]);
    assert_eq!(object(&filled).as_object().unwrap().len(), 1);
}

#[test]
fn what_the_flow_names_itself_is_the_flows_to_the_letter() {
    let fields = FieldsUnderTest::new(&[("A__c", "request.a"), ("B__c", "request.b")]);
    let own = r#"{ "A__c": "flow's", "big": 123456789012345678901234567890 } "#;
    let body = json!({ "a": "ours", "b": "b", "callAttributes": own });
    let filled = fields.at_create(&body, Some(own));
    assert_eq!(
        outcomes(&filled),
        [("A__c", AttributeOutcome::TakenByFlow), ("B__c", AttributeOutcome::Sent)]
    );
    let expected = r#"{ "A__c": "flow's", "big": 123456789012345678901234567890,"B__c":"b"}"#;
    assert_eq!(filled.call_attributes.as_deref(), Some(expected));
    // A later update of ours leaves it alone too, although that carries none of the flow's.
    let mut knowledge = KnownValues::default();
    knowledge.add_request(at(0), &request(&body, &fields.attributes));
    let create = filled.sent();
    let last = fields.fill(&knowledge, None, FillStage::Final { create: Some(&create), is_created: true });
    assert_eq!(
        outcomes(&last),
        [("A__c", AttributeOutcome::TakenByFlow), ("B__c", AttributeOutcome::Unchanged)]
    );
    assert_eq!(last.call_attributes, None);
    for broken in ["{\"A__c\": ", "[1]", "", "null"] {
        let filled = fields.at_create(&json!({ "a": "ours" }), Some(broken));
        assert_eq!(filled.call_attributes.as_deref(), Some(broken));
        assert_eq!(
            outcomes(&filled),
            [("A__c", AttributeOutcome::NotMerged), ("B__c", AttributeOutcome::NotYet)]
        );
    }
    assert_eq!(
        fields.at_create(&json!({ "b": "b" }), Some("{}")).call_attributes.as_deref(),
        Some(r#"{"B__c":"b"}"#)
    );
}

#[test]
fn the_final_update_of_a_create_that_failed_sends_what_is_known_then() {
    let fields = FieldsUnderTest::new(&[("A__c", "request.a"), ("B__c", "request.b")]);
    let first = fields.at_create(&json!({ "a": "1", "b": "2" }), Some(r#"{"Own":1}"#));
    let mut knowledge = KnownValues::default();
    knowledge.add_request(at(0), &request(&json!({ "a": "1", "b": "2" }), &fields.attributes));
    knowledge.add_request(at(5), &request(&json!({ "a": "9" }), &fields.attributes));
    let create = first.sent();
    let moment = FillStage::Final { create: Some(&create), is_created: false };
    let last = fields.fill(&knowledge, first.call_attributes.as_deref(), moment);
    assert_eq!(object(&last), json!({ "Own": 1, "A__c": "9", "B__c": "2" }));
    assert_eq!(outcomes(&last), [("A__c", AttributeOutcome::Sent), ("B__c", AttributeOutcome::Sent)]);
}

#[test]
fn a_call_inherits_what_neither_its_flow_nor_its_own_values_say() {
    let fields = FieldsUnderTest::new(&[("A__c", "request.a"), ("B__c", "request.b")]);
    let parent = fields.at_create(&json!({ "a": "p", "b": "p" }), Some(r#"{"Own":1,"Other":"p"}"#)).sent();
    let mut knowledge = KnownValues::default();
    knowledge.add_request(at(0), &request(&json!({ "a": "c" }), &fields.attributes));
    let moment = FillStage::Create { parent: Some(&parent) };
    let child = fields.fill(&knowledge, Some(r#"{"Other":"c"}"#), moment);
    assert_eq!(object(&child), json!({ "Other": "c", "A__c": "c", "B__c": "p", "Own": 1 }));
    assert_eq!(
        outcomes(&child),
        [
            ("A__c", AttributeOutcome::Sent),
            ("Own", AttributeOutcome::Inherited),
            ("B__c", AttributeOutcome::Inherited)
        ]
    );
    let sent = child.sent();
    let last = fields.fill(&knowledge, None, FillStage::Final { create: Some(&sent), is_created: true });
    assert_eq!(outcomes(&last), [("A__c", AttributeOutcome::Unchanged), ("B__c", AttributeOutcome::Missing)]);
}

fn call_history() -> crate::domain::CallHistory {
    let event = |kind: EventKind, second: i64| TaskEvent {
        at: Some(at(second)),
        id: format!("{kind}-{second}"),
        queue: matches!(kind, EventKind::Parked).then(|| "q1".to_owned()),
        agent: matches!(kind, EventKind::Connected).then(|| "a1".to_owned()),
        direction: None,
        kind,
    };
    let events = [
        event(EventKind::New, 0),
        event(EventKind::Parked, 10),
        event(EventKind::Connected, 40),
        event(EventKind::OnHold, 50),
        event(EventKind::HoldDone, 57),
    ];
    events.into_iter().collect::<crate::domain::CallTimeline>().history()
}

#[test]
fn segments_add_up_from_the_events() {
    let paths: Vec<String> = ValuePath::all_of_segments().collect();
    let fields = FieldsUnderTest::new(&paths.iter().map(|path| ("X__c", path.as_str())).collect::<Vec<_>>());
    let mut knowledge = KnownValues::default();
    assert!(
        outcomes(&fields.fill(&knowledge, None, LAST))
            .iter()
            .all(|(_, outcome)| *outcome == AttributeOutcome::Missing)
    );
    knowledge.set_history(call_history(), Some(at(100)));
    let filled = fields.fill(&knowledge, None, LAST);
    let lines = filled.report.lines.iter().map(|line| {
        format!("{} {}", line.path.as_deref().unwrap_or_default(), line.value.as_deref().unwrap_or("-"))
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    // Without an end, nobody knows how long the agent had it.
    knowledge.set_history(call_history(), None);
    let filled = fields.fill(&knowledge, None, LAST);
    let value = |path: &str| {
        let line = filled.report.lines.iter().find(|line| line.path.as_deref() == Some(path)).unwrap();
        line.value.clone()
    };
    assert_eq!(value("segments.agent.duration"), None);
    assert_eq!(value("segments.queue.duration").as_deref(), Some("30"));
}

#[test]
fn an_end_from_webex_counts_before_the_bridges_own() {
    let fields = FieldsUnderTest::new(&[("A__c", "segments.agent.duration")]);
    let mut timeline: crate::domain::CallTimeline = [].into_iter().collect();
    for (kind, second) in [(EventKind::Connected, 0), (EventKind::Ended(TaskEnding::default()), 20)] {
        let id = kind.to_string();
        timeline.apply(TaskEvent {
            at: Some(at(second)),
            kind,
            id,
            queue: None,
            agent: None,
            direction: None,
        });
    }
    let mut knowledge = KnownValues::default();
    knowledge.set_history(timeline.history(), Some(at(25)));
    assert_eq!(object(&fields.fill(&knowledge, None, LAST)), json!({ "A__c": "20" }));
}

#[test]
fn a_path_is_refused_with_what_is_wrong_with_it() {
    for (path, wrong) in [
        ("", InvalidPath::Names),
        ("service data", InvalidPath::Names),
        ("a..b", InvalidPath::Names),
        ("1.a", InvalidPath::Names),
        ("a.12345", InvalidPath::Names),
        ("request", InvalidPath::Bare("request")),
        ("Data.queueId", InvalidPath::NearlyRoot("data")),
        ("segment.queue.duration", InvalidPath::NearlyRoot("segments")),
        ("segments.queue", InvalidPath::Segments),
        ("segments.Queue.duration", InvalidPath::Segments),
        ("segments.menu.id", InvalidPath::Segments),
    ] {
        assert_eq!(ValuePath::parse(path), Err(wrong), "{path}");
    }
    for path in ["serviceData", "request.Data.x", "data.list.0.x", "segments.wrapUp.code"] {
        assert_eq!(ValuePath::parse(path).unwrap().as_ref(), path);
    }
}

#[test]
fn names_of_what_arrived_are_listed_without_values() {
    let body = json!({
        "from": "+14693150217", "empty": "", "list": [], "n": 1,
        "callAttributes": "{\"A__c\": \"x\", \"+14693150217\": {\"deep\": true}}",
    });
    let details = request(&body, &[]);
    let names: Vec<String> =
        details.arrived().iter().map(|one| format!("{}: {}", one.path, one.what)).collect();
    assert_eq!(
        names,
        [
            "callAttributes.A__c: text (1)",
            "callAttributes.+***********.deep: true or false",
            "empty: empty",
            "from: text (12)",
            "list: list",
            "n: number",
        ]
    );
    assert_eq!(details.body(), None);
    let wide: Value = (0..500).map(|n| (format!("f{n}"), json!(n))).collect::<Map<_, _>>().into();
    assert_eq!(request(&wide, &[]).arrived().len(), 100);
}

#[test]
fn no_value_has_a_printable_form_and_a_report_shows_no_number() {
    let fields =
        FieldsUnderTest::new(&[("A__c", "request.note"), ("B__c", "request.from"), ("C__c", "request.name")]);
    let body = json!({ "note": "call 469 315 0217\u{1b}", "from": "4711", "name": "Ada" });
    let details = request(&body, &fields.attributes);
    assert!(!format!("{details:?}").contains("469") && !format!("{details:?}").contains("4711"));
    let filled = fields.at_create(&body, None);
    assert!(!format!("{:?}", filled.sent()).contains("Ada"));
    let shown = filled.report.body();
    assert!(!shown.expose().contains("469") && !shown.expose().contains("4711"), "{}", shown.expose());
    assert!(shown.expose().contains("Ada"));
    let id = "5a6b7c8d-0000-4111-8222-333344445555";
    let of_queue = fields.at_create(&json!({ "note": id }), None);
    assert!(of_queue.report.body().expose().contains(id), "ids can be compared");
    assert_eq!(AttributeReport::read(&shown), Some(filled.report));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ a-z\"\\\\{}]{0,6}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::from("long".repeat(10))),
        Just(Value::from(r#"{"b":"inner"}"#)),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let names = prop::sample::select(vec!["a", "b", "c"]);
        let object = prop::collection::vec((names, inner.clone()), 0..3).prop_map(|fields| {
            fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>()
        });
        prop_oneof![object.prop_map(Value::from), prop::collection::vec(inner, 0..3).prop_map(Value::from)]
    })
}

fn bodies() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec!["a", "b", "c"]);
    prop::collection::vec((names, values()), 0..4).prop_map(|fields| {
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
    })
}

fn paths() -> impl Strategy<Value = String> {
    "(request|data|x)(\\.(a|b|c|0)){1,3}"
        .prop_map(|path| path.replacen("x.", "", 1))
        .prop_filter("a root", |path| ValuePath::parse(path).is_ok())
}

proptest! {
    #[test]
    fn what_goes_out_is_json_with_exactly_the_flows_own_and_what_was_sent(
        body in bodies(), data in bodies(), own in prop::option::of(bodies()),
        paths in prop::collection::vec(paths(), 0..6), longest in 1_usize..50,
    ) {
        let mut fields = FieldsUnderTest::new(&[]);
        fields.longest = longest;
        let field = |at: usize| if at == 0 { "a".to_owned() } else { format!("F{at}__c") };
        fields.attributes = paths.iter().enumerate().map(|(at, path)| attribute(&field(at), path)).collect();
        let mut knowledge = KnownValues::default();
        knowledge.add_request(at(0), &request(&body, &fields.attributes));
        knowledge.add_webhook(at(0), &webhook(&data, &fields.attributes));
        let own = own.map(|own| own.to_string());
        let filled = fields.fill(&knowledge, own.as_deref(), LAST);
        prop_assert_eq!(filled.report.lines.len(), fields.attributes.len());
        let mut expected: Map<String, Value> =
            own.as_deref().map(|own| serde_json::from_str(own).unwrap()).unwrap_or_default();
        let all: Map<String, Value> = filled.call_attributes.as_deref()
            .map(|text| serde_json::from_str(text).unwrap()).unwrap_or_default();
        prop_assert_eq!(filled.call_attributes.is_none(), own.is_none() && all.is_empty());
        for line in &filled.report.lines {
            if line.outcome == AttributeOutcome::Sent {
                let text = all[&line.field].as_str().unwrap();
                prop_assert!(text.encode_utf16().count() <= longest && !text.trim().is_empty());
                prop_assert!(!expected.contains_key(&line.field), "the flow's own was replaced");
                expected.insert(line.field.clone(), text.into());
            }
        }
        prop_assert_eq!(all, expected);
    }

    #[test]
    fn the_order_of_arrival_and_repetition_leave_no_trace(
        details in prop::collection::vec((bodies(), 0_i64..4, any::<bool>()), 0..6)
            .prop_flat_map(|details| (Just(details.clone()), Just(details).prop_shuffle())),
        paths in prop::collection::vec(paths(), 1..5),
    ) {
        let mut fields = FieldsUnderTest::new(&[]);
        fields.attributes =
            paths.iter().enumerate().map(|(at, path)| attribute(&format!("F{at}__c"), path)).collect();
        let fill = |details: &mut dyn Iterator<Item = &(Value, i64, bool)>| {
            let mut knowledge = KnownValues::default();
            for (body, second, is_request) in details {
                match is_request {
                    true => knowledge.add_request(at(*second), &request(body, &fields.attributes)),
                    false => knowledge.add_webhook(at(*second), &webhook(body, &fields.attributes)),
                }
            }
            let filled = fields.fill(&knowledge, None, LAST);
            (filled.call_attributes, filled.report)
        };
        let (in_order, shuffled) = details;
        let first = fill(&mut in_order.iter());
        prop_assert_eq!(&first, &fill(&mut shuffled.iter()));
        prop_assert_eq!(&first, &fill(&mut in_order.iter().chain(&shuffled)));
    }

    #[test]
    fn stored_attributes_are_read_as_they_were_written(body in bodies(), paths in prop::collection::vec(paths(), 1..5)) {
        let attributes: Vec<_> = paths.iter().map(|path| attribute("A__c", path)).collect();
        let details = request(&body, &attributes);
        if let Some(kept) = details.body() {
            let read = PickedValues::read(&kept).unwrap();
            prop_assert_eq!(read.body(), Some(kept));
        }
    }
}
