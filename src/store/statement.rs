//! What the store asks of a database. Nearly every statement takes one JSON text and gives rows of one JSON text: so a
//! statement serves a whole batch, and both engines look alike.

/// The kinds of entries that this version can send, as [`super::EntryKind`] spells them. Others are a newer version's:
/// they are left alone, and keep the entries of their call behind them.
macro_rules! known_kinds {
    () => {
        "('create', 'clear', 'update', 'late_clear')"
    };
}
pub(super) use known_kinds;

/// Calls that the outbox holds entries of, as `held`: an entry is sent by what the journal knows of its call, of others of
/// the same key and of the one that its call continues, so none of them goes before it. A buried one may be sent again.
macro_rules! held_calls {
    () => {
        "WITH held AS (SELECT DISTINCT w.call_center, w.vendor_call_key, w.parent
            FROM outbox AS o JOIN calls AS w ON w.id = o.call_id), kept AS (
            SELECT call_center, vendor_call_key AS name FROM held
            UNION SELECT call_center, parent FROM held WHERE parent <> '')"
    };
}
pub(super) use held_calls;

/// Whether the call `c` is none of them.
macro_rules! is_not_held {
    () => {
        "(c.call_center, c.vendor_call_key) NOT IN (SELECT call_center, name FROM kept)
            AND (c.voice_call_id IS NULL
                OR (c.call_center, substr(c.voice_call_id, 1, 15)) NOT IN (SELECT call_center, name FROM kept))"
    };
}
pub(super) use is_not_held;

/// Whether the VoiceCall of a note takes the place of the one that the journal has: it was made later, and the flow was told
/// of it last.
macro_rules! is_newer_voice_call {
    () => {
        "excluded.voice_call_id IS NOT NULL AND (calls.voice_call_id IS NULL
            OR (coalesce(excluded.created_at, 0), excluded.voice_call_id)
                > (coalesce(calls.created_at, 0), calls.voice_call_id))"
    };
}
pub(super) use is_newer_voice_call;

/// Whether a note tells that the VoiceCall is made: then nobody needs to create it any more, whoever was about to. A create
/// that failed tells nothing of the one of another process, which ends its claim by itself.
macro_rules! tells_of_voice_call {
    () => {
        "coalesce(excluded.voice_call_id, CAST(excluded.created_at AS TEXT)) IS NOT NULL"
    };
}
pub(super) use tells_of_voice_call;

/// Whether nothing is known of the call of this table, but perhaps who is about to create it.
macro_rules! knows_nothing {
    ($table:literal) => {
        concat!(
            $table,
            ".body_done = 0 AND coalesce(",
            $table,
            ".voice_call_id, ",
            $table,
            ".fingerprint, ",
            $table,
            ".create_body) IS NULL AND coalesce(",
            $table,
            ".start_time, ",
            $table,
            ".created_at, ",
            $table,
            ".create_unknown_at, ",
            $table,
            ".deferred_at, ",
            $table,
            ".routed_at, ",
            $table,
            ".answered_at, ",
            $table,
            ".ended_at, ",
            $table,
            ".closed_at) IS NULL"
        )
    };
}
pub(super) use knows_nothing;

/// What an entry is told when the lease of who tried it has ended without a word.
macro_rules! broken_off {
    () => {
        "whoever tried it was gone before the answer came"
    };
}
pub(super) use broken_off;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Embedded, for one process.
    Sqlite,
    /// A server, for several replicas.
    Postgres,
}

/// The statements in one engine's dialect. `[{..}]` takes a list, `{..}` one object.
#[derive(Debug)]
pub(super) struct Dialect {
    /// Looks whether creates are known, and claims those that are not where replicas share the database; one whose claim
    /// another process has left behind is of unknown end:
    /// `[{call_center, vendor_call_key, parent, owner, until, now}]`, gives the calls.
    pub(super) open: &'static str,
    /// Forgets calls for which nothing waits: `[id]`.
    pub(super) forget: &'static str,
    /// Give a claim back, and forget a call of which nothing else is known, one after the other:
    /// `{call_center, vendor_call_key, parent, owner}`.
    pub(super) unclaim: &'static [&'static str],
    /// Finds calls by key or by id: `[{at, call_center, key|null, short|null}]`, gives `{at, call}`.
    pub(super) find: &'static str,
    /// All calls of a key, in the order in which they became known: `{call_center, key}`.
    pub(super) calls: &'static str,
    /// Reads all that is known of an interaction: `{call_center, key | short}`, gives `{calls, task}`.
    pub(super) interaction: &'static str,
    /// Finds at most two calls: `{call_center, start_time}`.
    pub(super) find_by_start: &'static str,
    /// What the outbox holds of calls already: `[call_key]`, gives `{call_key, final, pending}`.
    pub(super) standing: &'static str,
    /// Puts entries in: `[entry]`, gives their ids.
    pub(super) insert: &'static str,
    /// Removes what creates said, for good: `[id]` of calls.
    pub(super) forget_bodies: &'static str,
    /// Closes the calls of entries: `[{id, now}]`.
    pub(super) close: &'static str,
    /// Removes delivered entries: `[id]`, gives those that were there.
    pub(super) delete: &'static str,
    /// Writes down failed attempts: `[{id, owner, state, next_at, words, reason, buried_at}]`, gives their ids.
    pub(super) postpone: &'static str,
    /// Gives leases back of entries that were not tried: `[{id, owner, next_at}]`, gives their ids.
    pub(super) put_back: &'static str,
    /// Makes pending entries due: `{now, before, centers: [call center]}`, gives the ids of those that were put off.
    pub(super) make_due: &'static str,
    /// Makes the one of them due that can be tried first: the same.
    pub(super) make_one_due: &'static str,
    /// Leases due entries of known kinds: `{now, owner, until, limit, without: [call center]}`, gives their ids.
    pub(super) lease: &'static str,
    /// Prolongs leases: `{owner, until}`, gives the ids.
    pub(super) renew: &'static str,
    /// Gives leases back: `{owner}`, gives the ids.
    pub(super) release: &'static str,
    /// Gives leases on some entries back: `{owner, ids: [id]}`, gives their ids.
    pub(super) give_back: &'static str,
    /// Gives claims back: `{owner}`.
    pub(super) unclaim_all: &'static str,
    /// When the next entry of a known kind is due: `{}`, gives milliseconds or null.
    pub(super) next_due: &'static str,
    /// Brings back pending entries whose times lie too far ahead, but for leases of the owner:
    /// `{now, owner, lease, next, task, told}`, gives their ids.
    pub(super) bring_back_entries: &'static str,
    /// Brings back tasks: the same.
    pub(super) bring_back_tasks: &'static str,
    /// Ends claims of creates: the same, gives nothing.
    pub(super) bring_back_claims: &'static str,
    /// Counts entries: `{}`, gives `{call_center, state, entries, oldest}`.
    pub(super) count: &'static str,
    /// Entries: `[id]`, gives them in order.
    pub(super) entries: &'static str,
    /// Ids of a filter, in order.
    pub(super) matching: &'static str,
    /// Makes buried entries pending again, as if put in now: `{now, ids: [id]}`, gives their ids.
    pub(super) retry: &'static str,
    /// Removes entries of a filter; gives their ids.
    pub(super) discard: &'static str,
    /// Removes some old calls that no entry needs: `{before, limit}`, gives their ids.
    pub(super) purge_calls: &'static str,
    /// Removes some old buried entries: `{before, limit}`, gives their ids.
    pub(super) purge_buried: &'static str,
    /// Claims due tasks: `{now, owner, until, limit, without}`, gives them with their events.
    pub(super) claim: &'static str,
    /// Folds a claimed task: `{task_id, owner, timeline, due_at, news, now, events: [event_id], left: [event_id]}`, gives
    /// its id.
    pub(super) fold: &'static str,
    /// Removes folded events: the same.
    pub(super) folded: &'static str,
    /// Removes the numbers of events that were left: the same.
    pub(super) left: &'static str,
    /// Puts a claimed task off and gives the claim back, or leaves it to the purge if nothing was told of it for long:
    /// `{task_id, owner, due_at, long_ago}`.
    pub(super) put_off: &'static str,
    /// Finds a task with its events: `{task_id}`.
    pub(super) task: &'static str,
    /// When the next task is due: `{}`, gives milliseconds or null.
    pub(super) next_task: &'static str,
    /// Gives claims of tasks back: `{owner}`.
    pub(super) unclaim_tasks: &'static str,
    /// Removes some old tasks for which nothing is to be done: `{before, limit}`, gives their ids.
    pub(super) purge_tasks: &'static str,
    /// Removes some old events of tasks that are not to be looked at: `{before, limit}`, gives their ids.
    pub(super) purge_events: &'static str,
    /// Keeps details: `[{vendor_call_key, call_center, parent, kind, source, at, body, is_private, updated_at}]`.
    pub(super) detail: &'static str,
    /// Details of a key: `{vendor_call_key, call_center}`, gives `{parent, kind, source, at, body}`.
    pub(super) details: &'static str,
    /// Removes some old private details: `{before, limit}`, gives their kinds.
    pub(super) purge_private: &'static str,
    /// Removes some old details of calls that are gone: the same.
    pub(super) purge_details: &'static str,
    /// Sets what is not set yet: `{key, value}`.
    pub(super) set: &'static str,
    /// Reads it: `{key}`.
    pub(super) get: &'static str,
    /// Sets it: `{key, value}`.
    pub(super) put: &'static str,
    /// Sets it if it is still what it was: `{key, old|null, new}`, gives the key if so.
    pub(super) swap: &'static str,
    /// Takes or prolongs a turn: `{key, owner, until, now, far}`, gives the key if nobody else has it. One that somebody
    /// else has for longer than `far` is over.
    pub(super) take_turn: &'static str,
    /// Gives a turn back: `{key, owner}`.
    pub(super) end_turn: &'static str,
    /// Writes something, to see whether writing works: `{}`.
    pub(super) probe: &'static str,
    /// Begins to write.
    pub(super) begin: &'static str,
}

impl Kind {
    /// Its statements.
    pub(super) fn dialect(self) -> &'static Dialect {
        match self {
            Self::Sqlite => &super::sqlite::DIALECT,
            Self::Postgres => &super::postgres::DIALECT,
        }
    }
}
