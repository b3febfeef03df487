//! How many connections the system lets us have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most connections of the operations listener: for probes, the monitoring and people.
const OPERATIONS: usize = 64;
/// What is kept for everything else: the database, Salesforce, Webex, files, connections that are about to end.
const RESERVE: usize = 512;

/// The most connections of each listener.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) public: usize,
    pub(super) operations: usize,
}

/// Has the system let us open as many files as it may, and sees how many connections of the `wanted` that leaves room
/// for. Without a reserve, strangers could leave none for a client, a probe or Salesforce.
pub(super) fn room(wanted: usize) -> Room {
    let before = getrlimit(Resource::Nofile);
    if before.current != before.maximum {
        // Where that is refused, the limit stays as it is.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: before.maximum, ..before });
    }
    let limit = getrlimit(Resource::Nofile).current;
    let room = within(limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX)), wanted);
    if room.public < wanted {
        tracing::warn!(
            limit,
            connections = room.public,
            "the limit of open files is too low for server.max_connections = {wanted}: fewer connections are taken; \
             raise LimitNOFILE of the unit, or `ulimit -n`"
        );
    }
    room
}

fn within(limit: Option<usize>, wanted: usize) -> Room {
    let limit = limit.unwrap_or(usize::MAX);
    let most = limit - (limit / 2).min(RESERVE);
    Room { public: wanted.min(most.max(1)), operations: OPERATIONS.min((limit / 8).max(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_leaves_half_to_everything_else() {
        let room = |public, operations| Room { public, operations };
        assert_eq!(within(None, 2000), room(2000, 64));
        assert_eq!(within(Some(65_536), 2000), room(2000, 64));
        assert_eq!(within(Some(1024), 2000), room(512, 64));
        assert_eq!(within(Some(256), 2000), room(128, 32));
        assert_eq!(within(Some(256), 2), room(2, 32));
    }
}
