//! What must still reach Salesforce: kept before the first attempt, tried until it is there, or buried with a reason.

mod attempt;
mod delivery;
mod queue;
mod recent;
mod record;
mod report;
mod schedule;
mod worker;

pub use attempt::{Tried, verdict};
pub use delivery::Delivery;
pub use queue::{Hold, Outbox};
pub use recent::Kept;
pub use report::{Attempted, By};
pub use schedule::{Next, Schedule};
pub use worker::{Worker, WorkerStep};
