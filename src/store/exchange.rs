//! What was asked and answered for calls: for people who look into a call afterwards, so nobody waits until it is written.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::batch::Job;
use super::row::{Millis, read_some};
use super::sql::{Connection, Insert as _, Query, insert};
use super::{Store, StoreError};
use crate::domain::{CallCenterName, CallReference, Exchange, ExchangeRecord};

/// How many wait to be written at most; of more the newest are not kept.
const MOST: usize = 20_000;

/// How many rows one statement keeps: SQLite takes some 32,000 values.
const CHUNK: usize = 1024;

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    is_off: AtomicBool,
    waiting: Mutex<Vec<ExchangeRow>>,
}

impl Exchanges {
    fn take(&self) -> Vec<ExchangeRow> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

insert! {
    /// Keeps exchanges.
    ExchangeRow {
        call_center: String,
        call: String,
        call_hash: i64,
        at: i64,
        record: String,
    }
    "INSERT INTO exchanges ({columns}) SELECT * FROM {values} AS j WHERE true"
}

/// Keeps exchanges, all of one ask or none.
pub(super) async fn keep(
    connection: &mut impl Connection,
    asks: &[Vec<ExchangeRow>],
) -> Result<Vec<()>, StoreError> {
    let rows: Vec<&ExchangeRow> = asks.iter().flatten().collect();
    for some in rows.chunks(CHUNK) {
        connection.insert(ExchangeRow::SQL, some).await?;
    }
    Ok(vec![(); asks.len()])
}

/// The exchanges under any of these names of a call.
#[derive(Serialize)]
struct Named {
    hashes: Vec<i64>,
    names: Vec<String>,
}

#[derive(Deserialize)]
struct Row {
    call_center: String,
    call: String,
    at: Millis,
    record: String,
}

impl Query for Named {
    type Row = Row;
    const SQL: &'static str =
        "SELECT {text {object 'call_center', call_center, 'call', call, 'at', at, 'record', record}}
        FROM exchanges WHERE call_hash IN {each hashes int} AND call IN {each names} ORDER BY at, id";
}

impl Row {
    fn exchange(self) -> Option<Exchange> {
        let record: ExchangeRecord = serde_json::from_str(&self.record).ok()?;
        let call_center = CallCenterName::parse(self.call_center).ok()?;
        Some(Exchange {
            call_center,
            call: CallReference::parse(&self.call).ok()?,
            at: self.at.into(),
            record,
        })
    }
}

/// A call under its key, or under the form of its id that all ids have.
fn name(call: &CallReference) -> &str {
    match call {
        CallReference::Id(id) => id.short(),
        CallReference::Key(key) => key.as_ref(),
    }
}

/// What stands for a name in the index: FNV-1a of 64 bits, the same in every version and on every machine. Names of one
/// hash cost a look at a row that is not meant, and no more.
fn hash(name: &str) -> i64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let hash = name.bytes().fold(BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    hash.cast_signed()
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
        let Ok(record) = serde_json::to_string(&exchange.record) else { return };
        let row = ExchangeRow {
            call_center: exchange.call_center.to_string(),
            call: name(&exchange.call).to_owned(),
            call_hash: hash(name(&exchange.call)),
            at: exchange.at.as_millisecond(),
            record,
        };
        let mut waiting = self.exchanges.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST {
            waiting.push(row);
        }
    }

    /// Writes the exchanges that wait.
    ///
    /// # Errors
    /// When it could not be written: those exchanges are lost.
    pub async fn write_exchanges(&self) -> Result<(), StoreError> {
        let rows = self.exchanges.take();
        if rows.is_empty() { Ok(()) } else { self.ask(|reply| Job::Exchanges(rows, reply)).await }
    }

    /// The exchanges of a call under any of these names, in order; and how many there are besides that this version cannot read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn exchanges(&self, names: &[CallReference]) -> Result<(Vec<Exchange>, usize), StoreError> {
        let names: Vec<String> = names.iter().map(|call| name(call).to_owned()).collect();
        let hashes = names.iter().map(|name| hash(name)).collect();
        let rows = self.read_raw(&Named { hashes, names }).await?;
        let exchanges: Vec<Exchange> = read_some::<Row>(&rows).filter_map(Row::exchange).collect();
        let unreadable = rows.len() - exchanges.len();
        Ok((exchanges, unreadable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_the_hash_that_the_algorithm_gives_it() {
        for (name, expected) in
            [("", 0xcbf2_9ce4_8422_2325_u64), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            assert_eq!(hash(name).cast_unsigned(), expected, "{name}");
        }
    }

    #[test]
    fn no_more_wait_than_there_is_room_for() {
        let exchanges = Exchanges::default();
        let row = || ExchangeRow {
            call_center: String::new(),
            call: String::new(),
            call_hash: 0,
            at: 0,
            record: String::new(),
        };
        exchanges.waiting.lock().unwrap().extend((0..3).map(|_| row()));
        assert_eq!(exchanges.take().len(), 3);
        assert!(exchanges.take().is_empty());
    }
}
