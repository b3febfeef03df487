//! Notes on SQLite: the most frequent statement by far, so its rows are ordinary parameters. Taken apart as JSON, they
//! cost several times as much.

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Row as _, Sqlite};

use super::StoreError;
use super::note::NoteRow;
use super::sqlite::{MERGED, NOTED, NOTES, TOLD};

/// Merges notes, one for each call.
pub(super) async fn note(connection: &mut SqliteConnection, notes: &[NoteRow<'_>]) -> Result<(), StoreError> {
    let query = sqlx::query(AssertSqlSafe(statement(notes.len(), "")));
    bind(query, notes).execute(connection).await?;
    Ok(())
}

/// Merges notes, one for each call, and gives the calls.
pub(super) async fn learn(
    connection: &mut SqliteConnection,
    notes: &[NoteRow<'_>],
) -> Result<Vec<String>, StoreError> {
    let query = sqlx::query(AssertSqlSafe(statement(notes.len(), TOLD)));
    let rows = bind(query, notes).fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get(0).map_err(StoreError::from)).collect()
}

/// Has room for a power of two of rows, so that the connection keeps a few prepared statements. A row to which nothing
/// is bound is all NULL, and left out.
fn statement(notes: usize, told: &str) -> String {
    let rows = notes.next_power_of_two();
    let mut sql = String::with_capacity(NOTES.len() + rows * (NOTED.len() + 1) + MERGED.len() + told.len());
    sql.push_str(NOTES);
    for row in 0..rows {
        if row > 0 {
            sql.push(',');
        }
        sql.push_str(NOTED);
    }
    sql.push_str(MERGED);
    sql.push_str(told);
    sql
}

fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    notes: &[NoteRow<'_>],
) -> Query<'q, Sqlite, SqliteArguments> {
    notes.iter().fold(query, |query, note| {
        query
            .bind(note.call_center.to_owned())
            .bind(note.vendor_call_key.to_owned())
            .bind(note.parent.to_owned())
            .bind(note.voice_call_id.map(str::to_owned))
            .bind(note.fingerprint.clone())
            .bind(note.start_time)
            .bind(note.created_at)
            .bind(note.create_unknown_at)
            .bind(note.claim_owner.map(str::to_owned))
            .bind(note.claim_until)
            .bind(note.deferred_at)
            .bind(note.routed_at)
            .bind(note.answered_at)
            .bind(note.answered_by.clone())
            .bind(note.ended_at)
            .bind(note.closed_at)
            .bind(note.create_body.map(str::to_owned))
            .bind(note.body_done)
            .bind(note.updated_at)
    })
}
