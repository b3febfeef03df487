//! What must still reach Salesforce.

mod schedule;

pub use schedule::{Next, Schedule};
