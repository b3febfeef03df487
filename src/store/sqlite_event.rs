//! Events on SQLite: as frequent as all else together, so their rows are ordinary parameters, like those of notes.

use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;

use super::StoreError;
use super::sqlite::{EVENT, EVENTS, KEPT};
use super::task::EventRow;

/// Keeps events that are not kept yet.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    events: &[EventRow<'_>],
) -> Result<(), StoreError> {
    let query = sqlx::query(AssertSqlSafe(statement(events.len())));
    let query = events.iter().fold(query, |query, event| {
        query
            .bind(event.task_id.to_owned())
            .bind(event.event_id.to_owned())
            .bind(event.arrived_at)
            .bind(event.due_at)
            .bind(event.is_end)
            .bind(event.event.clone())
            .bind(event.numbers.map(str::to_owned))
    });
    query.execute(connection).await?;
    Ok(())
}

/// Has room for a power of two of rows, so that the connection keeps a few prepared statements. A row to which nothing
/// is bound is all NULL, and left out.
fn statement(events: usize) -> String {
    let rows = vec![EVENT; events.next_power_of_two()].join(",");
    [EVENTS, &rows, KEPT].concat()
}
