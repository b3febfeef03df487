//! How events get into the database, and how tasks are folded: the statements of a batch.

use super::engine::Connection;
use super::row::json;
use super::task::EventRow;
use super::{NewEvent, SettleTask, StoreError};
use crate::domain::{Body, Numbers};

/// Keeps all, in the order of their names, as notes are. The end of a task makes it due; so does whatever comes after.
pub(super) async fn keep(connection: &mut Connection, events: &[&NewEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let numbers: Vec<Option<Body>> =
        events.iter().map(|new| new.numbers.as_ref().and_then(Numbers::body)).collect();
    let mut rows = Vec::with_capacity(events.len());
    for (new, numbers) in events.iter().zip(&numbers) {
        rows.push(EventRow {
            task_id: new.task.as_ref(),
            event_id: &new.event.id,
            arrived_at: new.now.as_millisecond(),
            due_at: new.due_at.as_millisecond(),
            // A mark is nothing that somebody would have to look at.
            is_end: if new.event.what.is_mark() { 2 } else { i64::from(new.event.what.is_end()) },
            event: json(&new.event)?,
            numbers: numbers.as_ref().map(Body::expose),
        });
    }
    rows.sort_by(|one, other| (one.task_id, one.event_id).cmp(&(other.task_id, other.event_id)));
    connection.keep(&rows).await
}

/// Folds tasks, each by who holds it.
pub(super) async fn settle_tasks(
    connection: &mut Connection,
    settles: &[SettleTask],
) -> Result<Vec<bool>, StoreError> {
    let mut settled = Vec::with_capacity(settles.len());
    for settle in settles {
        let input = json(&settle.row()?)?;
        let held = !connection.rows(connection.dialect().fold, &input).await?.is_empty();
        if held && settle.folds {
            connection.rows(connection.dialect().folded, &input).await?;
            if settle.leaves() {
                connection.rows(connection.dialect().left, &input).await?;
            }
        }
        settled.push(held);
    }
    Ok(settled)
}
