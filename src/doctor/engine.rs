//! Runs checks: those that depend on nothing undecided at the same time, each with a limit of its own and all with one
//! together. What depends on something that failed is not asked, so that a root cause hides what only follows from it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::Pin;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout_at};

use super::{CheckId, Finding, Row, Status};
use crate::domain::quote;

/// The work of a check.
pub type Work = Pin<Box<dyn Future<Output = Finding> + Send>>;

/// A check that was not asked yet.
pub struct Check {
    /// Which one.
    pub id: CheckId,
    /// What must be in order before it is asked. Of these, one that is not planned counts as in order.
    pub depends_on: Vec<CheckId>,
    /// Whose failure, found before, would make this one say the same again.
    pub hidden_by: Vec<CheckId>,
    /// What asks.
    pub work: Work,
}

impl Check {
    /// A check that depends on nothing.
    pub fn new(id: CheckId, work: impl Future<Output = Finding> + Send + 'static) -> Self {
        Self { id, depends_on: Vec::new(), hidden_by: Vec::new(), work: Box::pin(work) }
    }

    /// Asked only once these are in order.
    #[must_use]
    pub fn after(mut self, ids: impl IntoIterator<Item = CheckId>) -> Self {
        self.depends_on.extend(ids);
        self
    }

    /// Not asked if one of these has failed.
    #[must_use]
    pub fn unless_failed(mut self, ids: impl IntoIterator<Item = CheckId>) -> Self {
        self.hidden_by.extend(ids);
        self
    }
}

/// How long checks may take.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// One.
    pub each: Duration,
    /// All together.
    pub all: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { each: Duration::from_secs(10), all: Duration::from_secs(60) }
    }
}

/// What is decided of one check.
struct Decided {
    status: Status,
    /// Of one that was not asked: what failed before it.
    because_of: Option<CheckId>,
}

/// A check under way.
struct CheckInFlight {
    id: CheckId,
    depends_on: Vec<CheckId>,
    started: Instant,
}

/// Whether a check can begin.
enum Readiness {
    Ready,
    Waits,
    Hidden(CheckId),
}

/// Runs all checks and gives a row for each, in the order of their codes.
pub async fn run(checks: Vec<Check>, limits: TimeLimits) -> Vec<Row> {
    let end = Instant::now() + limits.all;
    let open = checks.iter().map(|check| check.id.clone()).collect();
    let mut running = CheckRun { waiting: checks, open, ..CheckRun::default() };
    loop {
        running.begin_ready(limits.each);
        let Some(ended) = timeout_at(end, running.set.join_next_with_id()).await.transpose() else { break };
        match ended {
            Ok(ended) => running.take_in(ended),
            Err(_) => {
                running.give_up(limits.all);
                break;
            }
        }
    }
    running.end_circles();
    running.rows.sort_by(|one, other| one.id.cmp(&other.id));
    running.rows
}

#[derive(Default)]
struct CheckRun {
    waiting: Vec<Check>,
    /// All that are not decided yet.
    open: BTreeSet<CheckId>,
    set: JoinSet<Finding>,
    asked: HashMap<Id, CheckInFlight>,
    decided: BTreeMap<CheckId, Decided>,
    rows: Vec<Row>,
}

impl CheckRun {
    /// Begins what can begin, and hides what cannot any more, until neither is left.
    fn begin_ready(&mut self, each: Duration) {
        loop {
            let (mut changed, mut still) = (false, Vec::new());
            for check in std::mem::take(&mut self.waiting) {
                match self.readiness(&check) {
                    Readiness::Waits => still.push(check),
                    Readiness::Ready => {
                        changed = true;
                        self.begin(check, each);
                    }
                    Readiness::Hidden(root) => {
                        changed = true;
                        let finding = Finding::skipped(format!("not asked because of {root}"));
                        self.decide(check.id, check.depends_on, (finding, Some(root)), Duration::ZERO);
                    }
                }
            }
            self.waiting = still;
            if !changed {
                return;
            }
        }
    }

    fn readiness(&self, check: &Check) -> Readiness {
        let mut waits = false;
        for id in &check.depends_on {
            match self.decided.get(id) {
                Some(Decided { status: Status::Fail | Status::Crashed, .. }) => {
                    return Readiness::Hidden(id.clone());
                }
                Some(Decided { because_of: Some(root), .. }) => return Readiness::Hidden(root.clone()),
                Some(_) => {}
                None => waits |= self.open.contains(id),
            }
        }
        for id in &check.hidden_by {
            match self.decided.get(id) {
                Some(Decided { status: Status::Fail | Status::Crashed, .. }) => {
                    return Readiness::Hidden(id.clone());
                }
                Some(_) => {}
                None => waits |= self.open.contains(id),
            }
        }
        if waits { Readiness::Waits } else { Readiness::Ready }
    }

    fn begin(&mut self, check: Check, each: Duration) {
        let Check { id, depends_on, work, .. } = check;
        let started = Instant::now();
        let task = self.set.spawn(async move {
            tokio::time::timeout(each, work).await.unwrap_or_else(|_| unanswered(each))
        });
        self.asked.insert(task.id(), CheckInFlight { id, depends_on, started });
    }

    fn take_in(&mut self, ended: Result<(Id, Finding), JoinError>) {
        let (task, finding) = match ended {
            Ok((task, finding)) => (task, finding),
            Err(error) => (error.id(), panicked(error)),
        };
        if let Some(CheckInFlight { id, depends_on, started }) = self.asked.remove(&task) {
            self.decide(id, depends_on, (finding, None), started.elapsed());
        }
    }

    fn decide(
        &mut self,
        id: CheckId,
        depends_on: Vec<CheckId>,
        (finding, because_of): (Finding, Option<CheckId>),
        took: Duration,
    ) {
        let decided = Decided { status: finding.status, because_of: because_of.clone() };
        self.open.remove(&id);
        self.decided.insert(id.clone(), decided);
        self.rows.push(Row { id, depends_on, because_of, finding, took });
    }

    /// Ends everything, because no time is left.
    fn give_up(&mut self, all: Duration) {
        self.set.abort_all();
        for CheckInFlight { id, depends_on, started } in std::mem::take(&mut self.asked).into_values() {
            self.decide(id, depends_on, (unanswered(all), None), started.elapsed());
        }
        for Check { id, depends_on, .. } in std::mem::take(&mut self.waiting) {
            let reason = format!("no time was left: all checks together have {} s", all.as_secs());
            self.decide(id, depends_on, (Finding::skipped(reason), None), Duration::ZERO);
        }
    }

    /// Checks that wait for each other are a fault of ours; they must not be forgotten.
    fn end_circles(&mut self) {
        for Check { id, depends_on, .. } in std::mem::take(&mut self.waiting) {
            let finding = Finding::crashed("it waits for a check that waits for it");
            self.decide(id, depends_on, (finding, None), Duration::ZERO);
        }
    }
}

/// A check that took too long.
fn unanswered(limit: Duration) -> Finding {
    Finding::fail("slow", format!("no answer within {} s", limit.as_secs()))
        .cause("whoever was asked is overloaded, or something between drops what is sent")
        .step("run `scv-bridge doctor` again; if it stays, ask who runs the network between")
}

fn panicked(error: JoinError) -> Finding {
    let words = match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            text.or_else(|| panic.downcast_ref::<String>().cloned())
        }
        Err(_) => None,
    };
    let finding = Finding::crashed("the check itself broke; what it asks is not known");
    match words {
        Some(words) => finding.seen(quote(&words)),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Text};
    use super::*;

    fn id(code: Code, subject: &str) -> CheckId {
        CheckId::new(code, subject)
    }

    fn told(rows: &[Row]) -> Vec<String> {
        let line = |row: &Row| {
            let because = row.because_of.as_ref().map_or_else(String::new, |root| format!(" < {root}"));
            format!("{} {}{because}", row.id, row.finding.status.name())
        };
        rows.iter().map(line).collect()
    }

    fn limits() -> TimeLimits {
        TimeLimits { each: Duration::from_secs(10), all: Duration::from_secs(60) }
    }

    #[tokio::test]
    async fn a_root_cause_hides_all_that_follows_from_it_and_nothing_else() {
        let (name, connection, handshake) =
            (id(Code::Name, "a"), id(Code::Connection, "a"), id(Code::Handshake, "a"));
        let rows = run(
            vec![
                Check::new(id(Code::Session, "c"), async { unreachable!("it is not asked") })
                    .unless_failed([name.clone()]),
                Check::new(handshake, async { unreachable!("it is not asked") }).after([connection.clone()]),
                Check::new(connection, async { unreachable!("it is not asked") }).after([name.clone()]),
                Check::new(name.clone(), async { Finding::fail("unknown", "no such name") }),
                Check::new(id(Code::Name, "b"), async { Finding::ok("known") }),
                Check::new(id(Code::Clock, "b"), async { unreachable!("it is not asked") })
                    .unless_failed([name]),
            ],
            limits(),
        )
        .await;
        assert_eq!(
            told(&rows),
            [
                "SCV-CLOCK-01 b skipped < SCV-DNS-01 a",
                "SCV-DNS-01 a fail",
                "SCV-DNS-01 b ok",
                "SCV-TCP-01 a skipped < SCV-DNS-01 a",
                "SCV-TLS-01 a skipped < SCV-DNS-01 a",
                "SCV-TOKEN-01 c skipped < SCV-DNS-01 a",
            ]
        );
    }

    #[tokio::test]
    async fn a_warning_hides_nothing_and_what_is_not_planned_counts_as_in_order() {
        let rows = run(
            vec![
                Check::new(id(Code::Name, "a"), async { Finding::warn("odd", "odd") }),
                Check::new(id(Code::Connection, "a"), async { Finding::ok("connected") })
                    .after([id(Code::Name, "a"), id(Code::Clock, "nobody planned this")]),
            ],
            limits(),
        )
        .await;
        assert_eq!(told(&rows), ["SCV-DNS-01 a warn", "SCV-TCP-01 a ok"]);
    }

    #[tokio::test]
    async fn a_check_that_panics_is_a_row_and_hides_what_needs_it() {
        let rows = run(
            vec![
                Check::new(id(Code::Name, "a"), async { panic!("of 4693150217") }),
                Check::new(id(Code::Connection, "a"), async { Finding::ok("connected") })
                    .after([id(Code::Name, "a")]),
            ],
            limits(),
        )
        .await;
        assert_eq!(told(&rows), ["SCV-DNS-01 a crashed", "SCV-TCP-01 a skipped < SCV-DNS-01 a"]);
        assert_eq!(rows[0].finding.evidence, [Text::from("of (number hidden)")]);
    }

    #[tokio::test]
    async fn who_does_not_answer_ends_as_a_row_and_all_together_have_a_limit() {
        let never = |code, subject| Check::new(id(code, subject), std::future::pending());
        let short = Duration::from_millis(1);
        let rows =
            run(vec![never(Code::Name, "a")], TimeLimits { each: short, all: Duration::from_secs(60) }).await;
        assert_eq!(
            (told(&rows), rows[0].finding.fault),
            (vec!["SCV-DNS-01 a fail".to_owned()], Some("slow"))
        );
        let chain = vec![
            never(Code::Name, "a"),
            Check::new(id(Code::Connection, "a"), async { Finding::ok("connected") })
                .after([id(Code::Name, "a")]),
        ];
        let rows = run(chain, TimeLimits { each: Duration::from_secs(60), all: short }).await;
        assert_eq!(told(&rows), ["SCV-DNS-01 a fail", "SCV-TCP-01 a skipped"]);
    }

    #[tokio::test]
    async fn checks_that_wait_for_each_other_are_not_forgotten() {
        let (one, other) = (id(Code::Name, "a"), id(Code::Connection, "a"));
        let rows = run(
            vec![
                Check::new(one.clone(), async { Finding::ok("") }).after([other.clone()]),
                Check::new(other, async { Finding::ok("") }).after([one]),
            ],
            limits(),
        )
        .await;
        assert_eq!(told(&rows), ["SCV-DNS-01 a crashed", "SCV-TCP-01 a crashed"]);
    }
}
