use super::*;

fn name(parent: Option<&str>) -> CallName {
    let parent = parent.map(|text| CallReference::parse(text).unwrap());
    CallName::new(
        CallCenterName::parse("Sales").unwrap(),
        VendorCallKey::parse("wxcc_1").unwrap(),
        parent.as_ref(),
    )
}

#[test]
fn both_forms_of_an_id_name_the_same_parent_and_another_parent_is_another_call() {
    assert_eq!(name(Some("0LQ5g000000abcD")), name(Some("0LQ5g000000abcDGAQ")));
    assert_ne!(name(Some("0LQ5g000000abcD")), name(Some("0LQ5g000000abcd")));
    assert_ne!(name(Some("wxcc_0")), name(None));
}

#[test]
fn a_later_run_is_known_by_when_it_began_and_reads_back_from_its_text() {
    let (center, key) = (CallCenterName::parse("Sales").unwrap(), VendorCallKey::parse("wxcc_1").unwrap());
    let began = Timestamp::from_millisecond(1_795_255_200_123).unwrap();
    let run = CallName::later_run(center.clone(), key.clone(), began);
    assert_eq!(run.run_began(), Some(began));
    let read = CallReference::parse(run.parent()).unwrap();
    assert_eq!(CallName::new(center, key, Some(&read)), run);
    for other in [name(None), name(Some("wxcc_1")), name(Some("0LQ5g000000abcD"))] {
        assert_eq!((other.run_began(), other == run), (None, false));
    }
}

#[test]
fn only_the_callers_number_may_differ_in_creates_of_one_call_and_only_where_it_may() {
    let print = |byte| Fingerprint([byte; 32]);
    let first = Fingerprint::of_create(print(1), print(9));
    for (other, differs, same) in [
        (first, false, true),
        (Fingerprint::of_create(print(2), print(9)), false, false),
        (Fingerprint::of_create(print(2), print(9)), true, true),
        (Fingerprint::of_create(print(2), print(8)), true, false),
        // As an earlier version has kept it.
        (print(1), false, true),
        (print(2), true, false),
    ] {
        assert_eq!(first.is_same_create(other, differs), same, "{other:?} {differs}");
        assert_eq!(other.is_same_create(first, differs), same, "{other:?} {differs}");
    }
}

#[test]
fn the_stage_is_the_furthest_that_is_known_in_whatever_order_it_was_learned() {
    let at = |second| Some(Timestamp::from_second(second).unwrap());
    let mut call = Call {
        id: CallId(1),
        name: name(None),
        voice_call_id: None,
        fingerprint: None,
        start_time: at(1),
        created_at: None,
        create_unknown_at: None,
        deferred_at: None,
        routed_at: None,
        answered_at: None,
        answered_by: None,
        ended_at: None,
        closed_at: None,
        create_lease_until: at(10),
        create_body: Some(StoredJson::new("{\"from\":\"+4930123456\"}")),
        updated_at: Timestamp::from_second(1).unwrap(),
    };
    assert_eq!(call.progress(), CallProgress::Unknown);
    assert!(call.is_being_created(Timestamp::from_second(9).unwrap()));
    assert!(!call.is_being_created(Timestamp::from_second(10).unwrap()));
    assert_eq!(call.reference(), CallReference::parse("wxcc_1").unwrap());
    assert!(!format!("{call:?}").contains("4930123456"));
    call.ended_at = at(5);
    assert_eq!(call.progress(), CallProgress::Ended);
    call.answered_at = at(3);
    assert_eq!(call.progress(), CallProgress::Ended);
    call.closed_at = at(7);
    assert_eq!(call.progress(), CallProgress::Closed);
    (call.ended_at, call.closed_at) = (None, None);
    assert_eq!(call.progress(), CallProgress::Answered);
    call.deferred_at = at(2);
    assert!(!call.is_being_created(Timestamp::from_second(9).unwrap()));
}
