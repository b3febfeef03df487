//! What was asked and answered for calls: for people who look into a call afterwards, so nobody waits until it is written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::batch::Job;
use super::journal::kept_name;
use super::row::Millis;
use super::sql::{Connection, Insert as _, Query, insert};
use super::{Store, StoreError};
use crate::domain::{CallCenterName, CallReference, Exchange, ExchangeRecord};

/// How many exchanges a row holds at most.
const A_ROW: usize = 1024;

/// How many rows wait to be written at most; of more exchanges the newest are not kept.
const ROWS: usize = 20;

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    is_off: AtomicBool,
    waiting: Mutex<WaitingRows>,
}

impl Exchanges {
    fn waiting(&self) -> MutexGuard<'_, WaitingRows> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows that are still filled.
#[derive(Debug, Default)]
struct WaitingRows(Vec<WaitingRow>);

/// A row as a list in JSON without its end. Each exchange is spelled into it at once: kept one by one until then, they took
/// more from the processor's caches than they cost otherwise.
#[derive(Debug, Default)]
struct WaitingRow {
    /// When the last of them was.
    at: i64,
    exchanges: usize,
    json: Vec<u8>,
}

impl WaitingRows {
    /// Adds an exchange of that moment, if there is room.
    fn add(&mut self, at: i64, exchange: &impl Serialize) {
        if self.0.last().is_none_or(|row| row.exchanges == A_ROW) {
            if self.0.len() == ROWS {
                return;
            }
            self.0.push(WaitingRow::default());
        }
        let Some(row) = self.0.last_mut() else { return };
        let before = row.json.len();
        row.json.push(if row.exchanges == 0 { b'[' } else { b',' });
        match serde_json::to_writer(&mut row.json, exchange) {
            Ok(()) => (row.at, row.exchanges) = (row.at.max(at), row.exchanges + 1),
            Err(_) => row.json.truncate(before),
        }
    }

    /// As they are written.
    fn take(&mut self) -> Vec<ExchangeRow> {
        let rows = std::mem::take(&mut self.0).into_iter().filter(|row| row.exchanges > 0);
        let ended = rows.filter_map(|mut row| {
            row.json.push(b']');
            Some(ExchangeRow { at: row.at, records: String::from_utf8(row.json).ok()? })
        });
        ended.collect()
    }

    /// What the database did not take waits before what has come since, and is not filled any more.
    fn give_back(&mut self, rows: Vec<ExchangeRow>) {
        let given_back = rows.into_iter().map(|row| {
            let mut json = row.records.into_bytes();
            json.pop();
            WaitingRow { at: row.at, exchanges: A_ROW, json }
        });
        self.0.splice(0..0, given_back);
        self.0.truncate(ROWS);
    }
}

insert! {
    /// Keeps the exchanges of about a second. Each one alone, in a row with an index by call, cost 6 % of a create
    /// (docs/performance.md), and people look into few calls: they wait until all rows were looked through.
    ExchangeRow {
        at: i64,
        records: String,
    }
    "INSERT INTO exchanges ({columns}) SELECT * FROM {values} AS j WHERE true"
}

/// Keeps exchanges, all of one ask or none.
pub(super) async fn keep(
    connection: &mut impl Connection,
    asks: &[Vec<ExchangeRow>],
) -> Result<Vec<()>, StoreError> {
    let rows: Vec<&ExchangeRow> = asks.iter().flatten().collect();
    connection.insert(ExchangeRow::SQL, &rows).await?;
    Ok(vec![(); asks.len()])
}

/// The rows in which any of these names of a call stands, as JSON writes it.
#[derive(Serialize)]
struct RowsNaming {
    names: Vec<String>,
}

impl Query for RowsNaming {
    type Row = Vec<Value>;
    const SQL: &'static str = "SELECT records FROM exchanges
        WHERE EXISTS (SELECT 1 FROM {each names} AS n WHERE {position records, n.value} > 0) ORDER BY id";
}

/// An exchange as it is written.
#[derive(Serialize)]
struct WrittenExchange<'e> {
    call_center: &'e str,
    call: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    also: Option<&'e str>,
    at: i64,
    record: &'e ExchangeRecord,
}

/// An exchange as it is read.
#[derive(Deserialize)]
struct ReadExchange {
    call_center: String,
    call: String,
    #[serde(default)]
    also: Option<String>,
    at: Millis,
    record: ExchangeRecord,
}

impl ReadExchange {
    fn exchange(self) -> Option<Exchange> {
        let call_center = CallCenterName::parse(self.call_center).ok()?;
        let call = CallReference::parse(&self.call).ok()?;
        let also = self.also.and_then(|also| CallReference::parse(&also).ok());
        Some(Exchange { call_center, call, also, at: self.at.into(), record: self.record })
    }
}

impl Store {
    /// Whether exchanges are kept from now on.
    pub fn keep_exchanges(&self, keeps: bool) {
        self.exchanges.is_off.store(!keeps, Ordering::Relaxed);
    }

    fn keeps_exchanges(&self) -> bool {
        !self.exchanges.is_off.load(Ordering::Relaxed)
    }

    /// Keeps an exchange, if there is one, until [`Store::write_exchanges`] writes it: a process that is killed loses the last second of them.
    pub fn keep_exchange(&self, exchange: impl FnOnce() -> Option<Exchange>) {
        if !self.keeps_exchanges() {
            return;
        }
        let Some(exchange) = exchange() else { return };
        let (at, call_center) = (exchange.at.as_millisecond(), exchange.call_center.as_ref());
        let also = exchange.also.as_ref().map(kept_name);
        let kept = WrittenExchange {
            call_center,
            call: kept_name(&exchange.call),
            also,
            at,
            record: &exchange.record,
        };
        self.exchanges.waiting().add(at, &kept);
    }

    /// Writes the exchanges that wait. While the database has failed they go on waiting, as many as there is room for.
    ///
    /// # Errors
    /// When they could not be written.
    pub async fn write_exchanges(&self) -> Result<(), StoreError> {
        if self.ready().is_err() {
            return Ok(());
        }
        let rows = self.exchanges.waiting().take();
        if rows.is_empty() {
            return Ok(());
        }
        let written = self.ask(|reply| Job::Exchanges(rows.clone(), reply)).await;
        if written.as_ref().is_err_and(StoreError::is_outage) {
            self.exchanges.waiting().give_back(rows);
        }
        written
    }

    /// The exchanges of a call under any of these names, in order; and how many there are besides that this version cannot read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn exchanges(&self, names: &[CallReference]) -> Result<(Vec<Exchange>, usize), StoreError> {
        let calls: Vec<&str> = names.iter().map(kept_name).collect();
        let needles = calls.iter().flat_map(|call| NAMED.map(|field| needle(field, call))).collect();
        let rows = self.read_raw(&RowsNaming { names: needles }).await?;
        let (mut exchanges, mut unreadable) = (Vec::new(), 0);
        for row in &rows {
            let Ok(all) = serde_json::from_str::<Vec<Value>>(row) else {
                unreadable += 1;
                continue;
            };
            let is_meant = |one: &Value| {
                let mut names = NAMED.iter().filter_map(|field| one.get(field)?.as_str());
                names.any(|name| calls.contains(&name))
            };
            for one in all.into_iter().filter(is_meant) {
                match serde_json::from_value::<ReadExchange>(one).ok().and_then(ReadExchange::exchange) {
                    // One that was written as the database failed is written again.
                    Some(exchange) if exchanges.contains(&exchange) => {}
                    Some(exchange) => exchanges.push(exchange),
                    None => unreadable += 1,
                }
            }
        }
        exchanges.sort_by_key(|exchange| exchange.at);
        Ok((exchanges, unreadable))
    }
}

/// The fields of [`WrittenExchange`] that name the call.
const NAMED: [&str; 2] = ["call", "also"];

/// How a name of a call stands in a row.
fn needle(field: &str, name: &str) -> String {
    format!("\"{field}\":{}", Value::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let mut waiting = WaitingRows::default();
        for number in 0..A_ROW * ROWS + 3 {
            waiting.add(0, &number);
        }
        let rows = waiting.take();
        assert_eq!(rows.len(), ROWS);
        let last = rows.last().unwrap();
        assert!(last.records.ends_with(&format!(",{}]", A_ROW * ROWS - 1)), "{}", last.records);
        assert!(waiting.take().is_empty());
    }

    #[test]
    fn a_row_is_a_list_of_them_and_as_old_as_the_last() {
        let mut waiting = WaitingRows::default();
        for at in [2, 3, 1] {
            waiting.add(at, &serde_json::json!({ "at": at }));
        }
        let rows = waiting.take();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].at, rows[0].records.as_str()), (3, r#"[{"at":2},{"at":3},{"at":1}]"#));
    }

    #[test]
    fn one_that_cannot_be_spelled_leaves_nothing_behind() {
        let mut waiting = WaitingRows::default();
        let odd = std::collections::BTreeMap::from([((1, 2), 3)]);
        waiting.add(1, &odd);
        assert!(waiting.take().is_empty());
        waiting.add(1, &1);
        waiting.add(2, &odd);
        waiting.add(3, &2);
        assert_eq!(waiting.take()[0].records, "[1,2]");
    }

    #[test]
    fn a_call_is_looked_for_as_it_is_written() {
        for call in ["wxcc_1", "a \"quoted\" key", "schl\u{fc}ssel", "back\\slash"] {
            let record = ExchangeRecord {
                origin: crate::domain::ExchangeOrigin::Outbox {
                    kind: "clear".into(),
                    entry: 1,
                    attempt: Some(1),
                },
                outcome: "ok".into(),
                milliseconds: 1,
                error: None,
                salesforce: Vec::new(),
            };
            let kept =
                WrittenExchange { call_center: "Main", call, also: Some(call), at: 0, record: &record };
            let json = serde_json::to_string(&kept).unwrap();
            assert!(NAMED.iter().all(|field| json.contains(&needle(field, call))), "{call}");
        }
    }
}
