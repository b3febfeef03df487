//! What all connections of a listener hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What each connection may hold without being asked: the head and body of every request that a flow sends.
const OWN: usize = 8 * 1024;
/// What connections without right credentials may hold beyond that, all of a listener together.
const SHARED: usize = 16 * 1024 * 1024;

/// The bytes that the connections of a listener hold beyond what each may hold.
#[derive(Debug, Clone, Default)]
pub struct ConnectionMemory(Arc<AtomicUsize>);

/// The part of one connection.
#[derive(Debug)]
pub(super) struct MemoryShare {
    memory: ConnectionMemory,
    taken: usize,
}

impl ConnectionMemory {
    /// The share of a new connection.
    pub(super) fn share(&self) -> MemoryShare {
        MemoryShare { memory: self.clone(), taken: 0 }
    }
}

impl MemoryShare {
    /// The connection holds this much now. Whether that is no more than there is.
    pub(super) fn hold(&mut self, bytes: usize) -> bool {
        let wanted = bytes.saturating_sub(OWN);
        let before = std::mem::replace(&mut self.taken, wanted);
        let all = &self.memory.0;
        if wanted <= before {
            all.fetch_sub(before - wanted, Ordering::Relaxed);
            return true;
        }
        let more = wanted - before;
        all.fetch_add(more, Ordering::Relaxed).saturating_add(more) <= SHARED
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.memory.0.fetch_sub(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_gives_back_another_may_take() {
        let memory = ConnectionMemory::default();
        let (mut one, mut other) = (memory.share(), memory.share());
        assert!(one.hold(OWN) && other.hold(OWN));
        assert!(one.hold(OWN + SHARED));
        assert!(other.hold(OWN), "its own is never asked for");
        assert!(!other.hold(OWN + 1));
        assert!(one.hold(0));
        assert!(other.hold(OWN + SHARED));
        drop(other);
        assert_eq!(memory.0.load(Ordering::Relaxed), 0);
    }
}
