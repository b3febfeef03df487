//! The connections of a worker. Who has shown no right credentials gives way to who comes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use super::traffic::{ConnectionActivity, ConnectionState};

/// Connections that may be gone, beyond twice those that are open, before they are forgotten.
const GONE: usize = 64;

/// The connections of one worker thread.
#[derive(Debug, Clone)]
pub(super) struct Connections(Rc<WorkerConnections>);

#[derive(Debug)]
struct WorkerConnections {
    most: usize,
    open: Rc<Cell<usize>>,
    /// As they came; those that are gone, or known by now, are passed over when their turn comes.
    unauthenticated: RefCell<VecDeque<Weak<ConnectionState>>>,
}

/// One connection among those that are open, until it is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection(Rc<Cell<usize>>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Connections {
    /// At most this many, as long as there are strangers among them.
    pub(super) fn new(most: usize) -> Self {
        let unauthenticated = RefCell::default();
        Self(Rc::new(WorkerConnections { most, open: Rc::default(), unauthenticated }))
    }

    /// A connection has been opened. Beyond the bound, the one that has been a stranger for longest is dismissed: an
    /// honest client has logged in long before its turn comes, and whoever floods us sends his own away.
    pub(super) fn admit(&self) -> ConnectionActivity {
        let WorkerConnections { most, open, unauthenticated } = &*self.0;
        open.set(open.get() + 1);
        let mut unauthenticated = unauthenticated.borrow_mut();
        if open.get() > *most {
            let oldest = std::iter::from_fn(|| unauthenticated.pop_front());
            let oldest = oldest.filter_map(|state| state.upgrade()).find(|state| state.is_unauthenticated());
            if let Some(oldest) = oldest {
                oldest.dismiss();
            }
        } else if unauthenticated.len() > 2 * open.get() + GONE {
            unauthenticated.retain(|state| state.upgrade().is_some_and(|state| state.is_unauthenticated()));
        }
        let traffic = ConnectionActivity::of(Some(OpenConnection(Rc::clone(open))));
        unauthenticated.push_back(traffic.downgrade());
        traffic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_stranger_gives_way_and_nobody_who_is_known() {
        let connections = Connections::new(3);
        let [first, second, third] = [(); 3].map(|()| connections.admit());
        first.mark_authenticated();
        let fourth = connections.admit();
        let dismissed = [&first, &second, &third, &fourth].map(ConnectionActivity::is_dismissed);
        assert_eq!(dismissed, [false, true, false, false]);
        drop(second);
        drop(third);
        let fifth = connections.admit();
        assert!(
            ![&first, &fourth, &fifth].into_iter().any(ConnectionActivity::is_dismissed),
            "there is room"
        );
    }

    #[test]
    fn those_that_are_gone_are_forgotten() {
        let connections = Connections::new(10);
        for _ in 0..10_000 {
            drop(connections.admit());
        }
        assert!(connections.0.unauthenticated.borrow().len() <= GONE + 3);
        assert_eq!(connections.0.open.get(), 0);
    }
}
