//! The status of a service on a page of text.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};

use super::super::outbox::duration;
use super::super::print_table;
use super::histogram::Quantile;
use super::report::{ServiceStatus, WebexStatus};
use crate::cli::running::{OneLine, ToldProblem};

/// What a service of another version may leave out.
const UNTOLD: &str = "not told by this service";
/// From when on the service has missed several of its looks.
const STALE: SignedDuration = SignedDuration::from_secs(20);

impl ServiceStatus {
    /// Prints it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "scv-bridge {} at {}, {:.0}", self.version, self.service, self.at)?;
        writeln!(
            out,
            "The outbox is looked at every 5 s and told with the age of that look; the rest is of this moment.\n"
        )?;
        self.print_service(out)?;
        self.print_salesforce(out)?;
        self.print_breakers(out)?;
        self.print_owed(out)?;
        self.print_webex(out)?;
        self.print_ends(out)
    }

    fn print_service(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(at) = self.started_at {
            writeln!(out, "started        {at:.0} ({} ago)", duration(at, self.at))?;
        }
        let ready = match self.not_ready.as_deref() {
            None => UNTOLD.to_owned(),
            Some([]) => "yes".to_owned(),
            Some(problems) => format!("NO: {}", list(problems, "; ")),
        };
        writeln!(out, "ready          {ready}")?;
        let database = match self.database_writable {
            Some(true) => "can be written".to_owned(),
            Some(false) => "CANNOT BE WRITTEN".to_owned(),
            None => UNTOLD.to_owned(),
        };
        writeln!(out, "database       {database}")?;
        let newest = match self.configuration_current {
            None => UNTOLD,
            Some(true) => "the newest runs",
            Some(false) => "THE NEWEST IS REFUSED, and the one before runs on",
        };
        writeln!(out, "configuration  {newest}")?;
        for ToldProblem { key, problem, hint } in self.refused.iter().flatten() {
            writeln!(out, "  refused      {key} {problem}; {hint}")?;
        }
        match self.after_restart.as_deref().unwrap_or_default() {
            [] => Ok(()),
            keys => writeln!(out, "after restart  {}: until then the values before hold", list(keys, ", ")),
        }
    }

    fn print_salesforce(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "\nSalesforce, since the service started (p50 and p95: the bounds of a histogram that they lie between)"
        )?;
        if self.salesforce.is_empty() {
            return writeln!(out, "nothing was asked of it yet");
        }
        let share = |quantile: Option<Quantile>| quantile.map(quantile_text).unwrap_or_default();
        let rows = self.salesforce.iter().map(|operation| {
            [
                operation.operation.clone(),
                operation.requests.to_string(),
                operation.not_done.to_string(),
                operation.mean_seconds.map(seconds).unwrap_or_default(),
                share(operation.p50),
                share(operation.p95),
            ]
        });
        print_table(out, ["operation", "requests", "not done", "mean", "p50", "p95"], rows)
    }

    fn print_breakers(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\nBreaker")?;
        let rows = self.breakers.iter().map(|breaker| {
            [
                breaker.call_center.clone(),
                breaker.state.replace('_', "-"),
                breaker.since.map_or_else(
                    || "it never opened".to_owned(),
                    |since| format!("{since:.0} ({} ago)", duration(since, self.at)),
                ),
                breaker.until.map(|until| self.ahead(until)).unwrap_or_default(),
            ]
        });
        print_table(out, ["contact center", "state", "since", "until"], rows)
    }

    fn print_owed(&self, out: &mut dyn Write) -> io::Result<()> {
        let callers = &self.callers_not_cleared;
        let oldest = callers.oldest.map(|oldest| format!(", the oldest for {}", duration(oldest, self.at)));
        let oldest = oldest.unwrap_or_default();
        let buried = match callers.buried {
            0 => String::new(),
            buried => format!(
                "; {buried} more, of whom what would clear them is buried: scv-bridge outbox list --state buried"
            ),
        };
        let Some(outbox) = &self.outbox else {
            return writeln!(out, "\nOutbox\n{UNTOLD}");
        };
        let age = self.age(self.looked_at.outbox);
        let which = if callers.callers > 0 { " (scv-bridge outbox list --not-cleared)" } else { "" };
        writeln!(out, "\nCallers gone and not cleared{age}: {}{oldest}{which}{buried}", callers.callers)?;
        writeln!(out, "\nOutbox{age}")?;
        if outbox.is_empty() {
            return writeln!(out, "nothing is owed and nothing is buried");
        }
        let rows = outbox.iter().map(|owed| {
            [
                owed.call_center.clone(),
                owed.kind.clone(),
                owed.pending.to_string(),
                owed.oldest.map(|oldest| duration(oldest, self.at)).unwrap_or_default(),
                owed.buried.to_string(),
            ]
        });
        print_table(out, ["contact center", "kind", "pending", "oldest", "buried"], rows)
    }

    fn print_webex(&self, out: &mut dyn Write) -> io::Result<()> {
        let WebexStatus { configured, active, inactive, last_webhook, compared_until } = &self.webex;
        if *configured == Some(false) {
            return writeln!(out, "\nWebex\nnot configured: the service runs without a [webex] section");
        }
        let ago = |at: &Option<Timestamp>| {
            at.map_or_else(
                || "none since the service started".to_owned(),
                |at| format!("{} ago", duration(at, self.at)),
            )
        };
        writeln!(out, "\nWebex")?;
        match (active, inactive) {
            (None, None) => {
                writeln!(
                    out,
                    "subscriptions  not looked at yet: that is done within minutes of the start; scv-bridge webex list asks Webex now"
                )
            }
            (active, inactive) => {
                let count = |count: &Option<u64>| count.unwrap_or_default();
                let asked = self.looked_at.subscriptions;
                let asked = asked
                    .map_or_else(String::new, |at| format!(", as Webex said {} ago", duration(at, self.at)));
                writeln!(out, "subscriptions  {} active, {} inactive{asked}", count(active), count(inactive))
            }
        }?;
        writeln!(out, "last webhook   {}", ago(last_webhook))?;
        match compared_until {
            Some(until) => writeln!(out, "compared       with Webex's records up to {until:.0}"),
            None => writeln!(out, "compared       nothing with Webex's records yet"),
        }
    }

    fn print_ends(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\nEnds")?;
        if self.ends.is_empty() {
            return writeln!(out, "nothing whose end is known");
        }
        let rows = self.ends.iter().map(|end| {
            let left = match end.days_left {
                ..0 => "IT HAS ENDED".to_owned(),
                0 => "in less than a day".to_owned(),
                1 => "in 1 day".to_owned(),
                days => format!("in {days} days"),
            };
            [end.what.clone(), format!("{:.0}", end.at), left]
        });
        print_table(out, ["what", "at", "left"], rows)
    }

    /// How old what is told is, behind what it is told of. What is looked at every few seconds and was not for long is told so.
    fn age(&self, looked_at: Option<Timestamp>) -> String {
        match looked_at.map(|at| (at, self.at.duration_since(at))) {
            None => " (not looked at yet)".to_owned(),
            Some((at, age)) if age > STALE => format!(" ({} ago, AND NOT SINCE)", duration(at, self.at)),
            Some((at, _)) => format!(" ({} ago)", duration(at, self.at)),
        }
    }

    fn ahead(&self, until: Timestamp) -> String {
        match until > self.at {
            true => format!("{until:.0} (in {})", duration(self.at, until)),
            false => format!("{until:.0} (over: the next request tries)"),
        }
    }
}

fn list(texts: &[OneLine], between: &str) -> String {
    texts.iter().map(|text| text.0.as_str()).collect::<Vec<_>>().join(between)
}

fn quantile_text(quantile: Quantile) -> String {
    let over = seconds(quantile.over_seconds);
    match quantile.at_most_seconds {
        Some(at_most) => format!("{over} to {}", seconds(at_most)),
        None => format!("over {over}"),
    }
}

/// Seconds as milliseconds, as long as those are few.
fn seconds(seconds: f64) -> String {
    match seconds {
        ..1.0 => format!("{:.0}ms", seconds * 1000.0),
        _ => format!("{seconds:.1}s"),
    }
}
