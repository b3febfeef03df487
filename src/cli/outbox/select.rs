//! Which entries are meant.

use std::time::Duration;

use clap::ValueEnum;
use jiff::Timestamp;

use crate::domain::CallCenterName;
use crate::settings::parse_duration;
use crate::store::{EntryId, EntryKind, EntryState, Filter};

/// Narrows to entries that fit everything given.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct EntrySelection {
    /// In this state.
    #[arg(long)]
    pub state: Option<StateFilter>,
    /// Of this contact center.
    #[arg(long, value_name = "NAME", value_parser = super::super::call_center)]
    pub call_center: Option<CallCenterName>,
    /// Asking this of Salesforce.
    #[arg(long)]
    pub kind: Option<KindFilter>,
    /// Put in longer ago than this: 90s, 15m, 2h, 3d.
    #[arg(long, value_name = "AGE", value_parser = parse_duration)]
    pub older_than: Option<Duration>,
    /// With this text in the reason or in Salesforce's last words; capitals do not count.
    #[arg(long, value_name = "TEXT")]
    pub words: Option<String>,
}

/// Whether it is still tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateFilter {
    /// Still tried.
    Pending,
    /// Given up, or refused for good.
    Buried,
}

/// What it asks of Salesforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindFilter {
    /// A VoiceCall that could not be created in time.
    Create,
    /// No more pending routing.
    Clear,
    /// Fields of a VoiceCall.
    Update,
    /// No more pending routing, where Salesforce may have made it after its caller was gone.
    LateClear,
}

impl EntrySelection {
    /// As the store takes it.
    #[must_use]
    pub fn filter(&self, now: Timestamp) -> Filter {
        Filter {
            state: self.state.map(|state| match state {
                StateFilter::Pending => EntryState::Pending,
                StateFilter::Buried => EntryState::Buried,
            }),
            call_center: self.call_center.clone(),
            kind: self.kind.map(|kind| match kind {
                KindFilter::Create => EntryKind::Create,
                KindFilter::Clear => EntryKind::Clear,
                KindFilter::Update => EntryKind::Update,
                KindFilter::LateClear => EntryKind::LateClear,
            }),
            // Before the beginning of time there is nothing.
            older_than: self.older_than.map(|age| now.checked_sub(age).unwrap_or(Timestamp::MIN)),
            words: self.words.clone(),
            ..Filter::default()
        }
    }
}

/// The number of an entry.
pub fn id(text: &str) -> Result<EntryId, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(EntryId(number)),
        _ => Err("is no number of an entry: `outbox list` shows them".to_owned()),
    }
}
