//! The report of a call on a page of text.

use std::io::{self, Write};
use std::time::Duration;

use super::report::{CallReport, ExchangeView, NOT_CREATED, VoiceCallView};
use super::why::is_not_sent;
use crate::cli::outbox::EntryView;
use crate::domain::ExchangeOrigin;

impl CallReport {
    /// Prints it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.why)?;
        for call in &self.voice_calls {
            writeln!(out)?;
            call.print(out)?;
        }
        if !self.exchanges.is_empty() {
            writeln!(out, "\nAsked and answered (UTC)")?;
            let rows = self.exchanges.iter().flat_map(ExchangeView::rows);
            super::super::print_table(out, ["at", "who", "what", "answer", "time", "words"], rows)?;
        }
        if !self.owed.is_empty() {
            writeln!(out, "\nOutbox")?;
            super::super::print_table(out, EntryView::HEAD, self.owed.iter().map(EntryView::cells))?;
            if let Some(note) = self.note {
                writeln!(out, "{note}")?;
            }
        }
        if self.unreadable > 0 {
            let count = self.unreadable;
            writeln!(
                out,
                "\nNot shown, because this version cannot read them: exchanges or entries, {count} in all."
            )?;
        }
        Ok(())
    }
}

impl VoiceCallView {
    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let id = match (&self.voice_call_id, &self.created_at) {
            (Some(id), _) => id,
            (None, Some(_)) => "with an id that only Salesforce knows",
            (None, None) if self.closed_at.is_some() => "with an id that only Salesforce knows",
            (None, None) if self.may_be_created => "that Salesforce may have made",
            (None, None) if self.progress == NOT_CREATED => "",
            (None, None) => "that is not created",
        };
        match id {
            id if self.may_be_created && self.progress == NOT_CREATED => writeln!(out, "VoiceCall {id}")?,
            "" => writeln!(out, "VoiceCall {}", self.progress)?,
            id => writeln!(out, "VoiceCall {id}, {}", self.progress)?,
        }
        let continues = Some(&self.continues).filter(|continues| !continues.is_empty());
        let route = match self.route_result {
            Some("routed") => "routed",
            Some("not_routed") => "not routed",
            _ => "asked to route",
        };
        for (name, value) in [
            ("contact center", Some(&self.call_center)),
            ("vendorCallKey", Some(&self.vendor_call_key)),
            ("continues", continues),
            ("began", self.began_at.as_ref()),
            ("created", self.created_at.as_ref()),
            ("deferred", self.deferred_at.as_ref()),
            (route, self.route_asked_at.as_ref()),
            ("cleared", self.cleared_at.as_ref()),
            ("routed again", self.routed_again_at.as_ref()),
            ("nothing to clear", self.nothing_to_clear_at.as_ref()),
            ("answered", self.answered_at.as_ref()),
            ("ended", self.ended_at.as_ref()),
            ("closed", self.closed_at.as_ref()),
        ] {
            if let Some(value) = value {
                writeln!(out, "  {name:<18}{value}")?;
            }
        }
        for segment in &self.segments {
            let time = segment.milliseconds.map_or_else(|| "goes on".to_owned(), milliseconds);
            let named = [("queue", &segment.queue), ("agent", &segment.agent)];
            let named = named.iter().filter_map(|(name, id)| Some(format!("{name} {}", id.as_ref()?)));
            let rest: Vec<String> = named.chain(segment.ended_by.map(str::to_owned)).collect();
            let line = format!("  {:<18}{}  {time:>8}  {}", segment.kind, segment.start, rest.join(", "));
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl ExchangeView {
    /// Its own row, then one for each request to Salesforce.
    fn rows(&self) -> Vec<[String; 6]> {
        let (who, what, answer) = match &self.origin {
            ExchangeOrigin::Flow { route, status, request_id } => {
                ("flow".to_owned(), format!("{route} {request_id}"), format!("{status} {}", self.outcome))
            }
            ExchangeOrigin::Outbox { kind, entry, attempt } => {
                let attempt =
                    attempt.map_or_else(|| unasked(&self.outcome), |attempt| format!("attempt {attempt}"));
                (format!("outbox {entry}"), format!("{kind}, {attempt}"), self.outcome.clone())
            }
        };
        let words = self.error.clone().unwrap_or_default();
        let own = [self.at.clone(), who, what, answer, milliseconds(self.milliseconds), words];
        let asked = self.salesforce.iter().map(|asked| {
            let answer = match (asked.status, &asked.failure) {
                (Some(status), _) => status.to_string(),
                (None, Some(failure)) if is_not_sent(failure) => "not sent".to_owned(),
                (None, Some(_)) => "no answer".to_owned(),
                (None, None) => "done".to_owned(),
            };
            // The words of a failure stand above already.
            let failure = asked.failure.clone().filter(|failure| self.error.as_ref() != Some(failure));
            [
                format!("  +{}", milliseconds(asked.after)),
                "Salesforce".to_owned(),
                asked.operation.to_string(),
                answer,
                milliseconds(asked.milliseconds),
                failure.unwrap_or_default(),
            ]
        });
        std::iter::once(own).chain(asked).collect()
    }
}

/// What became of an entry whose turn came and for which Salesforce was not asked.
fn unasked(outcome: &str) -> String {
    match outcome {
        "later" | "not_asked" => "put off".to_owned(),
        _ => "not sent".to_owned(),
    }
}

fn milliseconds(time: u64) -> String {
    match time {
        0..1_000 => format!("{time}ms"),
        1_000..60_000 => format!("{}.{}s", time / 1000, time % 1000 / 100),
        _ => span(Duration::from_millis(time)),
    }
}

/// A time in its two largest units.
fn span(time: Duration) -> String {
    let start = jiff::Timestamp::UNIX_EPOCH;
    let end = start.checked_add(time).unwrap_or(jiff::Timestamp::MAX);
    crate::cli::outbox::duration(start, end)
}
