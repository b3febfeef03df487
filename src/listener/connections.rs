//! The connections of a worker. Who has shown no right credentials gives way to who comes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

use super::traffic::{State, Traffic};

/// Connections that may be gone, beyond twice those that are open, before they are forgotten.
const GONE: usize = 64;

/// The connections of one worker thread.
#[derive(Debug, Clone)]
pub(super) struct Connections(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    open: Rc<Cell<usize>>,
    /// As they came; those that are gone, or known by now, are passed over when their turn comes.
    strangers: RefCell<VecDeque<Weak<State>>>,
}

/// One connection among those that are open, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Rc<Cell<usize>>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Connections {
    /// At most this many, as long as there are strangers among them.
    pub(super) fn new(most: usize) -> Self {
        let strangers = RefCell::default();
        Self(Rc::new(Inner { most, open: Rc::default(), strangers }))
    }

    /// A connection has been opened. Beyond the bound, the one that has been a stranger for longest is dismissed: an
    /// honest client has logged in long before its turn comes, and whoever floods us sends his own away.
    pub(super) fn admit(&self) -> Traffic {
        let Inner { most, open, strangers } = &*self.0;
        open.set(open.get() + 1);
        let mut strangers = strangers.borrow_mut();
        if open.get() > *most {
            let oldest = std::iter::from_fn(|| strangers.pop_front());
            let oldest = oldest.filter_map(|state| state.upgrade()).find(|state| state.is_stranger());
            if let Some(oldest) = oldest {
                oldest.dismiss();
            }
        } else if strangers.len() > 2 * open.get() + GONE {
            strangers.retain(|state| state.upgrade().is_some_and(|state| state.is_stranger()));
        }
        let traffic = Traffic::of(Some(Place(Rc::clone(open))));
        strangers.push_back(traffic.downgrade());
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
        first.recognize();
        let fourth = connections.admit();
        let dismissed = [&first, &second, &third, &fourth].map(Traffic::is_dismissed);
        assert_eq!(dismissed, [false, true, false, false]);
        drop(second);
        drop(third);
        let fifth = connections.admit();
        assert!(![&first, &fourth, &fifth].into_iter().any(Traffic::is_dismissed), "there is room");
    }

    #[test]
    fn those_that_are_gone_are_forgotten() {
        let connections = Connections::new(10);
        for _ in 0..10_000 {
            drop(connections.admit());
        }
        assert!(connections.0.strangers.borrow().len() <= GONE + 3);
        assert_eq!(connections.0.open.get(), 0);
    }
}
