//! `scv-bridge reconcile`: compares a range of the past with Webex's records, and closes what is open.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::ExposeSecret as _;

use crate::app::Ground;
use crate::bridge::Bridge;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::outbox::Outbox;
use crate::salesforce::{Orgs, clients};
use crate::settings::Settings;
use crate::store::{Run, Store};
use crate::telemetry::Metrics;
use crate::webex::{BackfillProgress, EventRecovery, ReconcileReport, Reconciler, TimeSpan};

/// Compare a range of the past with Webex's records, and close what is open.
///
/// The running service does so by itself for what ended lately; this is for longer ago. What is found is told to the bridge
/// like webhooks that came late: the running service completes the calls.
#[derive(Debug, clap::Args)]
pub struct ReconcileArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Calls that ended from then on: 2026-11-21 or 2026-11-21T10:00:00Z; days begin at midnight UTC.
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Timestamp,
    /// Calls that ended until then. Default: now.
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Timestamp>,
    /// Change nothing; print what would be closed.
    #[arg(long)]
    dry_run: bool,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let day = || text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC)).map(|day| day.timestamp());
    let moment = text.parse::<Timestamp>().or_else(|_| day());
    moment.map_err(|_| "is no time such as 2026-11-21 or 2026-11-21T10:00:00Z".to_owned())
}

/// Runs the command: 0 compared, 1 some calls could not be closed.
///
/// # Errors
/// Every problem of the configuration; the database or Webex does not answer; the output cannot be written.
pub fn run(
    args: &ReconcileArgs,
    environment: Vec<(String, String)>,
    clock: &Arc<dyn Clock>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let settings = Arc::new(super::settings(args.config.clone(), environment, clock.as_ref())?);
    super::webex::section(&settings)?;
    let range = TimeSpan { from: args.from, to: args.to.unwrap_or_else(|| clock.now()).min(clock.now()) };
    if range.from >= range.to {
        bail!("--from {}: is not before --to, or not before now", args.from);
    }
    let run = if args.dry_run { Run::Dry } else { Run::Real };
    let open = Store::open_existing(settings.store.url.expose_secret());
    let report = super::on_store(&settings.store.url, open, async |store| {
        let reconciler = reconciler(&settings, store, clock)?;
        let bar = bar(range);
        let mut show = |progress: BackfillProgress| {
            bar.set_position(minutes(range.from, progress.to));
            bar.set_message(format!("{} calls", progress.tasks));
        };
        let report = tokio::select! {
            report = reconciler.backfill(range, run, &mut show) => report.map_err(anyhow::Error::from),
            signal = tokio::signal::ctrl_c() => {
                // Ends the turn early: until it ends, no other process can compare.
                reconciler.end_turn().await;
                Err(signal.err().map_or_else(|| anyhow::anyhow!("interrupted"), anyhow::Error::from))
            }
        };
        bar.finish_and_clear();
        report
    })?;
    print(&report, run, out)?;
    Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn reconciler(
    settings: &Arc<Settings>,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Reconciler<EventRecovery>> {
    let (ids, metrics) = (Arc::new(Ids::random()), Arc::new(Metrics::new()?));
    let (terms, outbox_metrics) = (&settings.outbox, Arc::clone(&metrics));
    let outbox = Outbox::new(store.clone(), terms, Arc::clone(clock), Arc::clone(&ids), outbox_metrics);
    let outbox = Arc::new(outbox);
    let orgs = Arc::new(Orgs::new(settings, None, (clock, &ids), &metrics));
    let http = clients(&settings.http_client, 1)?.pop().context("there is no HTTPS client")?;
    let bridge = Bridge::new(settings, http.clone(), &orgs, &outbox, &Arc::default());
    let ground = Ground { settings, outbox: &outbox, metrics: &metrics, clock, ids: &ids };
    Ok(ground.reconciler(Arc::new(ArcSwap::from_pointee(bridge)), ground.client(http)?)?)
}

/// On standard error, and only for people.
fn bar(range: TimeSpan) -> ProgressBar {
    let bar = ProgressBar::new(minutes(range.from, range.to));
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}  {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn minutes(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_mins()).unwrap_or_default()
}

fn print(report: &ReconcileReport, run: Run, out: &mut dyn Write) -> std::io::Result<()> {
    for difference in &report.differences {
        writeln!(out, "{difference}")?;
    }
    let dry = if run == Run::Dry { "; nothing was changed (dry run)" } else { "" };
    writeln!(out, "{report}{dry}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_or_the_beginning_of_a_day() {
        for text in ["2026-11-21T00:00:00Z", "2026-11-21", "2026-11-21T01:00:00+01:00"] {
            assert_eq!(time(text).unwrap().to_string(), "2026-11-21T00:00:00Z", "{text}");
        }
        for text in ["yesterday", "2026-02-30", "", "1795255200"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
