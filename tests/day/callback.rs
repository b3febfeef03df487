//! A caller who chooses to be called back, keeps the place in the queue and hangs up.

use rand::RngExt as _;
use serde_json::json;

use super::tale::{Tale, Told};

/// After how long a hang-up can be told from the choice.
const HANG_UP: i64 = 2_000;

impl Tale<'_> {
    /// Rung again until an agent talks, or until nobody tries any more.
    pub(super) fn callback(mut self) -> Told {
        let parked = 1.0;
        self.enqueue(true, parked);
        self.activity("optOutOfQueue");
        self.activity("dequeued");
        self.told.truth.is_callback = true;
        self.pass(500, HANG_UP);
        // Whether the flow's event of a caller who is gone comes for this hang-up, or for the end of the task.
        if self.dice.random_bool(0.25) {
            self.told.hung_up = self.now;
        }
        self.told.pauses.push((self.told.truth.start, self.now + 1));
        self.pass(30_000, 600_000);
        self.way = [Some("telephony"), Some("OUTBOUND"), Some("COURTESY_CALLBACK")];
        let (tries, succeeds) = (self.dice.random_range(0..3), self.dice.random_bool(0.65));
        for _ in 0..tries {
            self.missed();
            self.told.pauses.push((self.told.truth.start, self.now + 1));
            self.pass(60_000, 300_000);
        }
        if succeeds {
            let agent = self.some_agent();
            self.offer();
            self.accept(&agent);
            self.talk();
            self.release(&agent);
            return self.end("Customer", "Customer Left");
        }
        self.event("task:connect", &json!({}));
        self.pass(10_000, 30_000);
        self.activity("callbackFailed");
        match self.dice.random_bool(0.7) {
            true => self.end("System", "RONA Timer Expired"),
            false => self.end("System", "Callback Failed"),
        }
    }

    /// The customer does not pick up. It looks like an end, at the same time or some later.
    fn missed(&mut self) {
        self.event("task:connect", &json!({}));
        self.pass(10_000, 30_000);
        self.event("task:parked", &json!({}));
        if self.dice.random_bool(0.5) {
            self.pass(1, 3_000);
        }
        self.event("task:ended", &json!({ "terminatingParty": "System", "reason": "RONA Timer Expired" }));
    }
}
