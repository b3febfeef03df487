use proptest::prelude::*;
use tokio::task::JoinSet;

use super::*;
use crate::domain::{Call, Fingerprint, RouteResult};
use crate::store::CreateBody;

/// Notes as sources of every kind would bring them, with times that contradict each other.
fn notes() -> impl Strategy<Value = Vec<Note>> {
    let time = || prop::option::of((0_i64..5).prop_map(at));
    let body = prop_oneof![
        4 => Just(CreateBody::Keep),
        2 => (0_u8..3).prop_map(|number| CreateBody::Set(StoredJson::new(number.to_string()))),
        1 => Just(CreateBody::Done),
    ];
    let id = prop::option::of(prop::sample::select(vec!["0LQ5g000000abcD", "0LQ5g000000abcDGAQ"]));
    let route = prop::option::of(prop::sample::select(vec![
        RouteResult::NotRouted,
        RouteResult::Unknown,
        RouteResult::Routed,
    ]));
    let texts = (id, prop::option::of(any::<u8>()), body, route, 0_i64..9);
    let times = (
        time(),
        time(),
        time(),
        time(),
        time(),
        time(),
        time(),
        time(),
        time(),
        prop::option::weighted(0.1, (0_i64..5).prop_map(at)),
    );
    let note = (texts, times).prop_map(|((id, print, create_body, route_result, second), times)| Note {
        voice_call_id: id.and_then(voice_call),
        fingerprint: print.map(|byte| Fingerprint([byte; 32])),
        start_time: times.0,
        created_at: times.1,
        deferred_at: times.2,
        routed_at: times.3,
        answered_at: times.4,
        ended_at: times.5,
        cleared_at: times.6,
        nothing_to_clear_at: times.7,
        route_at: times.8,
        closed_at: times.9,
        route_result,
        create_body,
        ..Note::of(call("unnamed"), at(second))
    });
    prop::collection::vec(note, 1..6)
}

/// The same notes once in order and once shuffled, with repetitions.
fn twice() -> impl Strategy<Value = (Vec<Note>, Vec<Note>)> {
    notes().prop_flat_map(|notes| {
        let repeated = prop::sample::subsequence(notes.clone(), 0..=notes.len());
        let shuffled = (Just(notes.clone()), repeated)
            .prop_map(|(mut all, again)| {
                all.extend(again);
                all
            })
            .prop_shuffle();
        (Just(notes), shuffled)
    })
}

async fn tell(store: &Store, key: &str, notes: Vec<Note>, at_once: bool) -> Call {
    let mut telling = JoinSet::new();
    for note in notes {
        let note = Note { call: call(key), ..note };
        let store = store.clone();
        telling.spawn(async move { store.note(note).await.unwrap() });
        if !at_once {
            telling.join_next().await;
        }
    }
    telling.join_all().await;
    store.find(&center(), &reference(key)).await.unwrap().unwrap()
}

fn any_order_and_repetition_leads_to_the_same_row(engine: &Engine) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(engine.open());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(48));
    let number = std::cell::Cell::new(0);
    runner
        .run(&twice(), |(in_order, shuffled)| {
            number.set(number.get() + 1);
            let key = |kind| format!("wxcc_{}_{kind}", number.get());
            let (first, second, third) = runtime.block_on(async {
                (
                    tell(&store, &key("in_order"), in_order, false).await,
                    tell(&store, &key("shuffled"), shuffled.clone(), false).await,
                    tell(&store, &key("at_once"), shuffled, true).await,
                )
            });
            let like_first = |call: Call| Call { id: first.id, name: first.name.clone(), ..call };
            prop_assert_eq!(&like_first(second), &first);
            prop_assert_eq!(&like_first(third), &first);
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_order_and_repetition_of_notes_leads_to_the_same_row_on_sqlite() {
    any_order_and_repetition_leads_to_the_same_row(&Engine::sqlite());
}

#[test]
fn any_order_and_repetition_of_notes_leads_to_the_same_row_on_postgres() {
    any_order_and_repetition_leads_to_the_same_row(&Engine::postgres());
}
