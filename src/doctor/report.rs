//! What an examination found, for people and for programs.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Finding, Row, Status, Text};
use crate::domain::printable;

/// How wide a line for people may be.
const WIDTH: usize = 110;
/// Where texts begin.
const INDENT: usize = 12;

/// What an examination found.
#[derive(Debug, Clone)]
pub struct Report {
    /// The configuration, as it was named.
    pub configuration: String,
    /// When it was asked.
    pub at: Timestamp,
    /// A row for each check, in the order of the codes.
    pub rows: Vec<Row>,
    /// The configuration in a few lines; none where it cannot be used.
    pub summary: Option<String>,
    /// What the outbox gave up, the latest first; none where the database was not read.
    pub last_errors: Option<Vec<String>>,
}

/// How many checks ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In order.
    pub ok: usize,
    /// Working, but.
    pub warn: usize,
    /// Not working.
    pub fail: usize,
    /// Broken checks.
    pub crashed: usize,
    /// Not asked because something failed before.
    pub hidden: usize,
    /// Not asked for another reason.
    pub skipped: usize,
}

impl Report {
    pub(super) fn new(configuration: String, at: Timestamp, rows: Vec<Row>, summary: Option<String>) -> Self {
        Self { configuration, at, rows, summary, last_errors: None }
    }

    /// What somebody must act on, the worst first.
    #[must_use]
    pub fn problems(&self) -> Vec<&Row> {
        let mut problems: Vec<&Row> = self.rows.iter().filter(|row| row.is_problem()).collect();
        problems.sort_by_key(|row| row.finding.status);
        problems
    }

    /// How many checks ended how.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.rows.iter().fold(Counts::default(), |mut counts, row| {
            let count = match row.finding.status {
                Status::Ok => &mut counts.ok,
                Status::Warn => &mut counts.warn,
                Status::Fail => &mut counts.fail,
                Status::Crashed => &mut counts.crashed,
                Status::Skipped if row.because_of.is_some() => &mut counts.hidden,
                Status::Skipped => &mut counts.skipped,
            };
            *count += 1;
            counts
        })
    }

    /// Whether the set-up is in order; with `strict` a warning is not.
    #[must_use]
    pub fn is_in_order(&self, strict: bool) -> bool {
        let Counts { warn, fail, crashed, .. } = self.counts();
        fail == 0 && crashed == 0 && !(strict && warn > 0)
    }

    /// For programs, without phone numbers.
    #[must_use]
    pub fn json(&self) -> Value {
        let Counts { ok, warn, fail, crashed, hidden, skipped } = self.counts();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "configuration": self.configuration,
            "at": format!("{:.0}", self.at),
            "in_order": self.is_in_order(false),
            "counts": {
                "ok": ok, "warn": warn, "fail": fail, "crashed": crashed, "hidden": hidden, "skipped": skipped,
            },
            "checks": self.rows.iter().map(row_json).collect::<Vec<_>>(),
        })
    }

    /// For people: problems first; what is in order only where that is wanted.
    #[must_use]
    pub fn text(&self, verbose: bool) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut text, verbose, |text| text.full().to_owned());
        printable(&text).into_owned()
    }

    /// The same, as it may leave the machine.
    #[must_use]
    pub(super) fn shared_text(&self) -> String {
        let mut text = String::new();
        let _ = self.write(&mut text, true, |text| text.shared().into_owned());
        text
    }

    fn write(&self, out: &mut String, verbose: bool, form: fn(&Text) -> String) -> fmt::Result {
        for row in self.problems() {
            write_problem(out, row, form)?;
            writeln!(out)?;
        }
        if verbose {
            for row in self.rows.iter().filter(|row| !row.is_problem()) {
                write_line(out, row, form)?;
            }
            writeln!(out)?;
        }
        writeln!(out, "{}", self.conclusion(verbose))
    }

    /// The last line.
    fn conclusion(&self, verbose: bool) -> String {
        let Counts { ok, warn, fail, crashed, hidden, skipped } = self.counts();
        let named = |count: usize, one: &str, more: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {more}")),
        };
        let parts = [
            named(fail, "failure", "failures"),
            named(crashed, "broken check", "broken checks"),
            named(warn, "warning", "warnings"),
            Some(format!("{ok} ok")).filter(|_| self.summary.is_some()),
            named(hidden, "not asked because of them", "not asked because of them"),
            named(skipped, "skipped", "skipped"),
        ];
        let list = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let file = &self.configuration;
        let more = match (self.summary.is_none(), verbose || ok + hidden + skipped == 0) {
            (true, _) => "; nothing else was asked: the configuration comes first",
            (false, false) => "; -v shows all",
            (false, true) => "",
        };
        format!("{file}: {list}{more}")
    }
}

fn row_json(row: &Row) -> Value {
    let Row { id, depends_on, because_of, finding, took } = row;
    let Finding { status, fault, what, means, causes, steps, evidence } = finding;
    let texts = |texts: &[Text]| texts.iter().map(|text| text.shared().into_owned()).collect::<Vec<_>>();
    json!({
        "code": id.code.id(),
        "area": id.code.area().name(),
        "subject": id.subject,
        "status": status.name(),
        "fault": fault,
        "what": what.shared(),
        "means": means.as_ref().map(Text::shared),
        "causes": texts(causes),
        "do": texts(steps),
        "evidence": texts(evidence),
        "depends_on": depends_on.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "because_of": because_of.as_ref().map(ToString::to_string),
        "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    })
}

fn write_problem(out: &mut String, row: &Row, form: fn(&Text) -> String) -> fmt::Result {
    let Row { id, finding, .. } = row;
    let fault = finding.fault.map_or_else(String::new, |fault| format!(" ({fault})"));
    writeln!(out, "{:<7}  {}{fault}  {}", finding.status.name().to_uppercase(), id.code, id.subject)?;
    paragraph(out, "what", &form(&finding.what))?;
    if let Some(means) = &finding.means {
        paragraph(out, "means", &form(means))?;
    }
    list(out, "causes", &finding.causes, |place| format!("{}. ", place + 1), form)?;
    list(out, "do", &finding.steps, |_| "- ".to_owned(), form)?;
    list(out, "evidence", &finding.evidence, |_| "- ".to_owned(), form)
}

/// Texts below a label; of several each behind a mark.
fn list(
    out: &mut String,
    label: &str,
    texts: &[Text],
    mark: impl Fn(usize) -> String,
    form: fn(&Text) -> String,
) -> fmt::Result {
    for (place, text) in texts.iter().enumerate() {
        let label = if place == 0 { label } else { "" };
        let mark = if texts.len() > 1 { mark(place) } else { String::new() };
        marked(out, label, &mark, &form(text))?;
    }
    Ok(())
}

fn write_line(out: &mut String, row: &Row, form: fn(&Text) -> String) -> fmt::Result {
    let Row { id, finding, .. } = row;
    let seen: Vec<String> = finding.evidence.iter().map(form).collect();
    let seen = if seen.is_empty() { String::new() } else { format!(" ({})", seen.join("; ")) };
    writeln!(out, "{:<7}  {}  {}: {}{seen}", finding.status.name(), id.code, id.subject, form(&finding.what))
}

/// A text behind its label, in lines of a readable width.
fn paragraph(out: &mut String, label: &str, text: &str) -> fmt::Result {
    marked(out, label, "", text)
}

/// The same with a mark before it, which its other lines leave free.
fn marked(out: &mut String, label: &str, mark: &str, text: &str) -> fmt::Result {
    let indent = INDENT + mark.chars().count();
    let mut line = format!("  {label:<width$}{mark}", width = INDENT - 2);
    let mut used = indent;
    for (place, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if place > 0 && used + 1 + length > WIDTH {
            writeln!(out, "{line}")?;
            line = " ".repeat(indent);
            used = indent;
        } else if place > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    writeln!(out, "{line}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::{CheckId, Code};
    use super::*;

    fn row(code: Code, subject: &str, finding: Finding) -> Row {
        let (depends_on, because_of) = (vec![CheckId::new(Code::Name, "a")], None);
        Row {
            id: CheckId::new(code, subject),
            depends_on,
            because_of,
            finding,
            took: Duration::from_millis(7),
        }
    }

    fn report() -> Report {
        let hidden = Row {
            because_of: Some(CheckId::new(Code::Session, "Sandbox")),
            ..row(Code::ApexRight, "Sandbox", Finding::skipped("not asked because of SCV-TOKEN-01 Sandbox"))
        };
        let example =
            Text::with_twin("from: +14693150217 became 1, wanted 2", "from: +1469*****17 became *, wanted *");
        let rows = vec![
            row(Code::Name, "a", Finding::ok("known, 3 ms").seen("10.1.2.3")),
            row(
                Code::Session,
                "Sandbox",
                Finding::fail("audience", "Salesforce does not take the audience of the assertion")
                    .means("flows get 424 for every request for Sandbox: no VoiceCall is made, no call is routed by Salesforce")
                    .cause("the audience is that of production and the org a sandbox, or the reverse")
                    .cause("the audience has a path or a slash at its end")
                    .step("set call_centers.Sandbox.oauth_audience = \"https://login.salesforce.com\" for production, \"https://test.salesforce.com\" for a sandbox")
                    .seen("Salesforce says: invalid_grant: audience is invalid (HTTP 400, 7 ms)"),
            ),
            hidden,
            row(Code::Examples, "Main", Finding::warn("example", "1 of 2").seen(example)),
        ];
        let at = "2026-11-21T10:00:00Z".parse().unwrap();
        Report::new("bridge.toml".to_owned(), at, rows, Some(String::new()))
    }

    #[test]
    fn people_read_problems_first_and_a_line_of_counts() {
        insta::assert_snapshot!(report().text(false));
        insta::assert_snapshot!(report().text(true).lines().rev().take(4).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn programs_and_tickets_read_no_number() {
        let mut json = report().json();
        json["version"] = "[version]".into();
        insta::assert_json_snapshot!(json);
        assert!(!json.to_string().contains("469315") && !report().shared_text().contains("469315"));
        assert!(report().text(false).contains("+14693150217"), "the administrator's own example");
    }

    #[test]
    fn a_warning_is_in_order_unless_it_must_not_be() {
        let mut report = report();
        assert!(!report.is_in_order(false));
        report.rows.retain(|row| row.finding.status != Status::Fail);
        assert!(report.is_in_order(false) && !report.is_in_order(true));
    }
}
