//! What happens to a mixed run beside its load: kills, a database that stands still, an org that is not there.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use rand::RngExt as _;
use rand::rngs::StdRng;
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::mock::{BadDay, MockOrg};
use sqlx::{Connection as _, SqliteConnection};

use super::fleet::Fleet;
use super::postgres::Postgres;
use super::site::{DEADLINE_MILLISECONDS, Site};

/// Something that happened to all calls at once.
#[derive(Debug, Clone, Copy)]
pub struct Incident {
    /// What it was.
    pub what: What,
    /// When it began.
    pub from: Timestamp,
    /// When it was over.
    pub to: Timestamp,
}

/// Kinds of incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A replica was killed.
    Kill,
    /// The database stood still.
    Freeze,
    /// Salesforce was not there.
    Outage,
}

/// The database, for whoever wants to hold it up.
pub enum Database {
    /// The URL of the file.
    Sqlite(String),
    /// A server of the test's own.
    Postgres(Postgres),
}

impl Database {
    /// Its name.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// The URL of a new one, for a site.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(url) => url.clone(),
            Self::Postgres(server) => server.database(),
        }
    }

    /// A file is where the site is.
    pub fn is_at(&mut self, site: &Site) {
        if let Self::Sqlite(url) = self {
            *url = site.database();
        }
    }

    /// Lets it stand still for so long.
    async fn freeze(&mut self, time: Duration) {
        match self {
            Self::Sqlite(url) => {
                // As a backup does that takes the file's write lock.
                let mut connection = SqliteConnection::connect(url).await.unwrap();
                sqlx::raw_sql("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE")
                    .execute(&mut connection)
                    .await
                    .unwrap();
                tokio::time::sleep(time).await;
                sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            Self::Postgres(server) => {
                server.tell("freeze");
                tokio::time::sleep(time).await;
                server.tell("thaw");
            }
        }
    }
}

/// Kills and freezes in turns, as the dice want, until the time is over.
pub async fn of_ours(
    fleet: &mut Fleet,
    database: &mut Database,
    until: Instant,
    mut dice: StdRng,
) -> Vec<Incident> {
    let mut incidents = Vec::new();
    while pause(&mut dice, 4..16, until).await {
        if dice.random_bool(0.5) {
            let from = fleet.kill_one(&mut dice).await;
            incidents.push(Incident { what: What::Kill, from, to: SystemClock.now() });
        } else {
            let from = SystemClock.now();
            database.freeze(Duration::from_millis(dice.random_range(500..2500))).await;
            incidents.push(Incident { what: What::Freeze, from, to: SystemClock.now() });
        }
    }
    incidents
}

/// Outages of the org, until the time is over.
pub async fn of_the_org(org: &MockOrg, until: Instant, mut dice: StdRng) -> Vec<Incident> {
    let mut incidents = Vec::new();
    while pause(&mut dice, 10..30, until).await {
        let day = match dice.random_range(0..4) {
            0 => BadDay::Unavailable { retry_after: None },
            1 => BadDay::NeverAnswers,
            2 => BadDay::Slow { milliseconds: DEADLINE_MILLISECONDS / 2 },
            _ => BadDay::DropConnection { after_work: false },
        };
        let from = SystemClock.now();
        org.script(day.times(u32::MAX));
        tokio::time::sleep(Duration::from_millis(dice.random_range(1000..6000))).await;
        org.forget_scripts();
        incidents.push(Incident { what: What::Outage, from, to: SystemClock.now() });
    }
    incidents
}

/// Waits some seconds; whether there is time left then.
async fn pause(dice: &mut StdRng, seconds: std::ops::Range<u64>, until: Instant) -> bool {
    let time = Duration::from_millis(dice.random_range(seconds.start * 1000..seconds.end * 1000));
    tokio::time::sleep(time.min(until.saturating_duration_since(Instant::now()))).await;
    Instant::now() < until
}
