//! Whatever is told, in whatever order.

use proptest::prelude::*;

use super::*;

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
        told in prop::collection::vec((bodies(), 0_i64..4, any::<bool>()), 0..6)
            .prop_flat_map(|told| (Just(told.clone()), Just(told).prop_shuffle())),
        paths in prop::collection::vec(paths(), 1..5),
    ) {
        let mut fields = FieldsUnderTest::new(&[]);
        fields.attributes =
            paths.iter().enumerate().map(|(at, path)| attribute(&format!("F{at}__c"), path)).collect();
        let fill = |told: &mut dyn Iterator<Item = &(Value, i64, bool)>| {
            let mut knowledge = KnownValues::default();
            for (body, second, is_request) in told {
                match is_request {
                    true => knowledge.add_request(at(*second), &request(body, &fields.attributes)),
                    false => knowledge.add_webhook(at(*second), &webhook(body, &fields.attributes)),
                }
            }
            let filled = fields.fill(&knowledge, None, LAST);
            (filled.call_attributes, filled.report)
        };
        let (in_order, shuffled) = told;
        let first = fill(&mut in_order.iter());
        prop_assert_eq!(&first, &fill(&mut shuffled.iter()));
        prop_assert_eq!(&first, &fill(&mut in_order.iter().chain(&shuffled)));
    }

    #[test]
    fn what_was_told_survives_being_kept(body in bodies(), paths in prop::collection::vec(paths(), 1..5)) {
        let attributes: Vec<_> = paths.iter().map(|path| attribute("A__c", path)).collect();
        let told = request(&body, &attributes);
        if let Some(kept) = told.body() {
            let read = PickedValues::read(&kept).unwrap();
            prop_assert_eq!(read.body(), Some(kept));
        }
    }
}
