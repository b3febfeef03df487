use super::*;
use crate::store::{Memo, Turn};

async fn a_memo_is_kept_replaced_and_swapped_only_from_what_it_was(engine: Engine) {
    let store = engine.open().await;
    assert_eq!(store.recall(Memo::WaterMark).await.unwrap(), None);
    assert!(!store.swap(Memo::WaterMark, Some("1"), "2").await.unwrap());
    assert!(store.swap(Memo::WaterMark, None, "1").await.unwrap());
    assert!(!store.swap(Memo::WaterMark, None, "2").await.unwrap());
    assert!(!store.swap(Memo::WaterMark, Some("0"), "2").await.unwrap());
    assert_eq!(store.recall(Memo::WaterMark).await.unwrap().as_deref(), Some("1"));
    assert!(store.swap(Memo::WaterMark, Some("1"), "2 \"ü\"").await.unwrap());
    assert_eq!(store.recall(Memo::WaterMark).await.unwrap().as_deref(), Some("2 \"ü\""));
    store.keep(Memo::WaterMark, "3").await.unwrap();
    assert_eq!(engine.open().await.recall(Memo::WaterMark).await.unwrap().as_deref(), Some("3"));
    assert_eq!(store.recall(Memo::WebexLogin).await.unwrap(), None);
}

async fn a_turn_is_one_replicas_until_it_ends_or_is_given_back(engine: Engine) {
    let (one, other) = (engine.open().await, engine.open().await);
    let turn = Turn::Reconcile;
    assert!(one.take_turn(turn, "one", at(10), at(0)).await.unwrap());
    assert!(!other.take_turn(turn, "other", at(10), at(9)).await.unwrap());
    assert!(other.take_turn(Turn::WebexRefresh, "other", at(10), at(9)).await.unwrap());
    assert!(one.take_turn(turn, "one", at(20), at(9)).await.unwrap(), "prolonged");
    assert!(!other.take_turn(turn, "other", at(30), at(19)).await.unwrap());
    assert!(other.take_turn(turn, "other", at(30), at(20)).await.unwrap(), "its time was over");
    one.end_turn(turn, "one").await.unwrap();
    assert!(!one.take_turn(turn, "one", at(40), at(21)).await.unwrap(), "only the owner gives it back");
    other.end_turn(turn, "other").await.unwrap();
    assert!(one.take_turn(turn, "one", at(40), at(21)).await.unwrap());
}

on_both_engines! {
    a_memo_is_kept_replaced_and_swapped_only_from_what_it_was
    a_turn_is_one_replicas_until_it_ends_or_is_given_back
}
