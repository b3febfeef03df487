//! How often each kind of thing happens. A weight of 0 switches a kind off.

use rand::RngExt as _;
use rand::rngs::StdRng;

/// What becomes of a call, in the rough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The caller hangs up in the menu.
    LeftInMenu,
    /// The caller hangs up while they wait, or while it rings.
    LeftInQueue,
    /// Agents have the call, one or several.
    Answered,
    /// The caller hangs up in the moment in which an agent accepts.
    HungUpAtOnce,
    /// The caller chooses to be called back.
    Callback,
    /// An agent dials.
    Outdial,
    /// No telephony: a chat or an e-mail.
    Chat,
}

/// Of a thousand calls.
pub const KINDS: [(Kind, u32); 7] = [
    (Kind::LeftInMenu, 75),
    (Kind::LeftInQueue, 145),
    (Kind::Answered, 670),
    (Kind::HungUpAtOnce, 15),
    (Kind::Callback, 45),
    (Kind::Outdial, 25),
    (Kind::Chat, 25),
];

/// What an agent does with a caller in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// A hold without a consult.
    Hold,
    /// A hold, with a consult of another agent within.
    ConsultAgent,
    /// The same, of whoever is free in a queue.
    ConsultQueue,
    /// The same, of a number outside.
    ConsultNumber,
    /// A consult that becomes a conference.
    Conference,
}

/// Of a hundred turns.
pub const TURNS: [(Turn, u32); 5] = [
    (Turn::Hold, 72),
    (Turn::ConsultAgent, 10),
    (Turn::ConsultQueue, 6),
    (Turn::ConsultNumber, 4),
    (Turn::Conference, 8),
];

/// How the part of an agent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// With the call.
    WithCall,
    /// With the call, whose caller hangs up while they are on hold.
    OnHold,
    /// The call goes on to another agent, or to a queue and from there.
    Transfer,
    /// The same, out of a hold.
    TransferOnHold,
    /// It goes on to the agent who was consulted.
    ConsultTransfer,
    /// It goes on to a number outside.
    Outside,
}

/// Of a hundred agents' parts.
pub const LEAVINGS: [(Leaving, u32); 6] = [
    (Leaving::WithCall, 76),
    (Leaving::OnHold, 3),
    (Leaving::Transfer, 10),
    (Leaving::TransferOnHold, 3),
    (Leaving::ConsultTransfer, 5),
    (Leaving::Outside, 4),
];

/// How signs of the call come, besides the weather, of a thousand calls each.
pub mod signs {
    /// Every sign of an agent comes after the flow's end of the call, and after the grace.
    pub const LATE: u32 = 40;
    /// Half of a call that could be taken for ended comes after the grace.
    pub const PAUSED: u32 = 400;
    /// Only `task:connected` and `task:ended` are subscribed to.
    pub const LEAST: u32 = 80;
    /// Events that tell of the same moment differ by milliseconds.
    pub const JITTER: u32 = 350;
    /// Search shows a record with something odd in it.
    pub const ODD: u32 = 20;
}

/// One of them, as often as they weigh.
pub fn one_of<T: Copy>(dice: &mut StdRng, weights: &[(T, u32)]) -> T {
    let mut left = dice.random_range(0..weights.iter().map(|(_, weight)| weight).sum());
    let mut each = weights.iter();
    loop {
        let (one, weight) = each.next().unwrap();
        match left.checked_sub(*weight) {
            Some(rest) => left = rest,
            None => return *one,
        }
    }
}

/// So many times of a thousand.
pub fn happens(dice: &mut StdRng, of_thousand: u32) -> bool {
    dice.random_range(0..1000) < of_thousand
}
