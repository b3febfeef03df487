use super::*;
use crate::store::{Detail, DetailKind, NewDetail, Owner, PurgeBefore};

pub(super) fn detail(kind: DetailKind, source: &str, second: i64, body: &str) -> NewDetail {
    NewDetail { kind, source: source.to_owned(), at: at(second), body: StoredJson::new(body) }
}

fn key(text: &str) -> VendorCallKey {
    VendorCallKey::parse(text).unwrap()
}

fn shown(details: &[Detail]) -> Vec<(&str, DetailKind, &str, &str)> {
    details
        .iter()
        .map(|detail| (detail.parent.as_str(), detail.kind, detail.source.as_str(), detail.body.expose()))
        .collect()
}

async fn details_are_those_of_a_key_in_one_contact_center_and_of_its_webhooks(engine: Engine) {
    let (one, two) = (engine.open().await, engine.open().await);
    let parent = reference("wxcc_0");
    let transferred = CallName::new(center(), key("wxcc_1"), Some(&parent));
    let elsewhere = CallName::new(CallCenterName::parse("Other").unwrap(), key("wxcc_1"), None);
    let odd = "{\"a\":\"\\u0000 ü '\"}";
    for (store, owner, kind, body) in [
        (&one, Owner::Call(call("wxcc_1")), DetailKind::Request, odd),
        (&two, Owner::Call(transferred.clone()), DetailKind::Request, "2"),
        (&two, Owner::Call(elsewhere), DetailKind::Request, "3"),
        (&one, Owner::Call(call("wxcc_2")), DetailKind::Request, "4"),
        (&one, Owner::Key(key("wxcc_1")), DetailKind::Webhook, "5"),
    ] {
        store.keep_details(&owner, &[detail(kind, "s", 0, body)], at(0)).await.unwrap();
    }
    let details = two.details(&center(), &key("wxcc_1")).await.unwrap();
    assert_eq!(
        shown(&details),
        [
            ("", DetailKind::Request, "s", odd),
            ("", DetailKind::Webhook, "s", "5"),
            ("wxcc_0", DetailKind::Request, "s", "2")
        ]
    );
    let of = |call: &CallName| details.iter().filter(|detail| detail.is_of(call)).count();
    assert_eq!((of(&call("wxcc_1")), of(&transferred)), (2, 2));
}

async fn of_one_source_the_latest_stays_and_no_other_is_lost(engine: Engine) {
    let (one, two) = (engine.open().await, engine.open().await);
    let owner = Owner::Call(call("wxcc_1"));
    let both = |first: &str, second: &str| {
        [detail(DetailKind::Request, "b", 0, first), detail(DetailKind::Request, "a", 0, second)]
    };
    one.keep_details(&owner, &[], at(0)).await.unwrap();
    let (first, second) = (both("1", "1"), both("2", "2"));
    let kept =
        tokio::join!(one.keep_details(&owner, &first, at(1)), two.keep_details(&owner, &second, at(2)));
    kept.0.and(kept.1).unwrap();
    for (second, body) in [(5, "late"), (3, "early"), (5, "late")] {
        let new = [detail(DetailKind::AtEnd, "", second, body)];
        one.keep_details(&owner, &new, at(9)).await.unwrap();
    }
    let details = one.details(&center(), &key("wxcc_1")).await.unwrap();
    let sources: Vec<_> = details.iter().map(|detail| (detail.kind, detail.source.as_str())).collect();
    assert_eq!(sources, [(DetailKind::AtEnd, ""), (DetailKind::Request, "a"), (DetailKind::Request, "b")]);
    assert_eq!((details[0].body.expose(), details[0].at), ("late", at(5)));
}

async fn private_ones_go_first_and_the_others_with_their_call(engine: Engine) {
    let store = engine.open().await;
    for name in [call("wxcc_1"), call("wxcc_2")] {
        store.note(Note::of(name.clone(), at(0))).await.unwrap();
        let all = [
            detail(DetailKind::Request, "r", 0, "1"),
            detail(DetailKind::Sent, "", 0, "1"),
            detail(DetailKind::Arrived, "a", 0, "1"),
            detail(DetailKind::AtEnd, "", 0, "1"),
        ];
        store.keep_details(&Owner::Call(name), &all, at(0)).await.unwrap();
    }
    let touched = [detail(DetailKind::Request, "r", 0, "1")];
    store.keep_details(&Owner::Call(call("wxcc_2")), &touched, at(50)).await.unwrap();
    let purge =
        |calls: i64, private: i64| PurgeBefore { calls: at(calls), buried: at(0), private: at(private) };
    assert_eq!(store.purge(purge(-1, 10)).await.unwrap().details, 3, "what was told again is not old");
    let kinds = async |key_: &str| -> Vec<DetailKind> {
        let details = store.details(&center(), &key(key_)).await.unwrap();
        details.into_iter().map(|detail| detail.kind).collect()
    };
    assert_eq!(kinds("wxcc_1").await, [DetailKind::Arrived, DetailKind::AtEnd]);
    assert_eq!(kinds("wxcc_2").await, [DetailKind::Arrived, DetailKind::AtEnd, DetailKind::Request]);
    store.note(Note::of(call("wxcc_2"), at(100))).await.unwrap();
    assert_eq!(store.purge(purge(60, 10)).await.unwrap().details, 2);
    assert_eq!(kinds("wxcc_1").await, []);
    assert_eq!(kinds("wxcc_2").await.len(), 3);
}

on_both_engines! {
    details_are_those_of_a_key_in_one_contact_center_and_of_its_webhooks
    of_one_source_the_latest_stays_and_no_other_is_lost
    private_ones_go_first_and_the_others_with_their_call
}
