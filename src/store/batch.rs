//! What is asked of the store at once, sorted by kind: each kind is one statement for all who ask.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::exchange::{self, ExchangeRow};
use super::journal::{self, Find};
use super::sql::Connection;
use super::{
    Enqueue, Enqueued, NewEvent, Note, OpenCall, Opened, Settle, SettleTask, StoreError, outbox, task,
};
use crate::domain::Call;

/// Where an answer goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A statement that only one asks for.
#[derive(Debug)]
pub(super) struct Single {
    pub(super) sql: &'static str,
    pub(super) input: String,
}

/// Something asked of the store.
pub(super) enum Job {
    Note(Arc<Note>, Reply<()>),
    Open(OpenCall, Reply<Opened>),
    Find(Find, Reply<Option<Call>>),
    Enqueue(Box<Enqueue>, Reply<Enqueued>),
    Settle(Box<Settle>, Reply<bool>),
    Event(Box<NewEvent>, Reply<()>),
    Task(Box<SettleTask>, Reply<bool>),
    Exchanges(Vec<ExchangeRow>, Reply<()>),
    Write(Single, Reply<Vec<String>>),
    Read(Single, Reply<Vec<String>>),
    Checkpoint(Reply<bool>),
    Close(Reply<()>),
    /// A fault of the writer.
    #[cfg(test)]
    Fault,
}

impl Job {
    /// What it is called in traces.
    pub(super) fn span_name(&self) -> &'static str {
        match self {
            Self::Find(..) | Self::Read(..) => "store read",
            _ => "store commit",
        }
    }
}

/// Those who ask the same kind of thing.
pub(super) struct Lot<Q, A> {
    pub(super) questions: Vec<Q>,
    /// Taken by who answers, while the database may still have the questions.
    replies: Mutex<Vec<Reply<A>>>,
}

impl<Q, A> Default for Lot<Q, A> {
    fn default() -> Self {
        Self { questions: Vec::new(), replies: Mutex::default() }
    }
}

impl<Q, A> Lot<Q, A> {
    fn push(&mut self, question: Q, reply: Reply<A>) {
        self.questions.push(question);
        self.replies.get_mut().unwrap_or_else(PoisonError::into_inner).push(reply);
    }

    fn replies(&self) -> Vec<Reply<A>> {
        std::mem::take(&mut *self.replies.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, answers: Vec<A>) {
        for (reply, answer) in self.replies().into_iter().zip(answers) {
            // Who has gone in the meantime needs no answer.
            let _ = reply.send(Ok(answer));
        }
    }

    fn refuse(&self, error: &StoreError) {
        for reply in self.replies() {
            let _ = reply.send(Err(error.clone()));
        }
    }

    fn each(self) -> impl Iterator<Item = Self> {
        let replies = self.replies();
        let pairs = self.questions.into_iter().zip(replies);
        pairs.map(|(question, reply)| Self { questions: vec![question], replies: Mutex::new(vec![reply]) })
    }
}

/// What is asked at once: all reading, or all writing.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) notes: Lot<Arc<Note>, ()>,
    pub(super) opens: Lot<OpenCall, Opened>,
    pub(super) finds: Lot<Find, Option<Call>>,
    pub(super) enqueues: Lot<Enqueue, Enqueued>,
    pub(super) settles: Lot<Settle, bool>,
    pub(super) events: Lot<NewEvent, ()>,
    pub(super) tasks: Lot<SettleTask, bool>,
    pub(super) exchanges: Lot<Vec<ExchangeRow>, ()>,
    pub(super) singles: Lot<Single, Vec<String>>,
}

/// The answers to a batch, in its order.
pub(super) struct Answers {
    pub(super) notes: Vec<()>,
    pub(super) opens: Vec<Opened>,
    pub(super) finds: Vec<Option<Call>>,
    pub(super) enqueues: Vec<Enqueued>,
    pub(super) settles: Vec<bool>,
    pub(super) events: Vec<()>,
    pub(super) tasks: Vec<bool>,
    pub(super) exchanges: Vec<()>,
    pub(super) singles: Vec<Vec<String>>,
}

/// All that was waiting, sorted.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) writes: Batch,
    pub(super) reads: Batch,
    pub(super) checkpoints: Vec<Reply<bool>>,
    pub(super) close: Vec<Reply<()>>,
}

impl Sorted {
    pub(super) fn of(jobs: impl Iterator<Item = Job>) -> Self {
        let mut all = Self::default();
        for job in jobs {
            match job {
                Job::Note(note, reply) => all.writes.notes.push(note, reply),
                Job::Open(open, reply) => all.writes.opens.push(open, reply),
                Job::Find(find, reply) => all.reads.finds.push(find, reply),
                Job::Enqueue(enqueue, reply) => all.writes.enqueues.push(*enqueue, reply),
                Job::Settle(settle, reply) => all.writes.settles.push(*settle, reply),
                Job::Event(event, reply) => all.writes.events.push(*event, reply),
                Job::Task(task, reply) => all.writes.tasks.push(*task, reply),
                Job::Exchanges(rows, reply) => all.writes.exchanges.push(rows, reply),
                Job::Write(single, reply) => all.writes.singles.push(single, reply),
                Job::Read(single, reply) => all.reads.singles.push(single, reply),
                Job::Checkpoint(reply) => all.checkpoints.push(reply),
                Job::Close(reply) => all.close.push(reply),
                #[cfg(test)]
                Job::Fault => std::panic::panic_any("a fault"),
            }
        }
        all
    }

    /// Tells everybody that nothing can be done; who wanted to close has what they wanted.
    pub(super) fn refuse(self, error: &StoreError) -> bool {
        self.writes.refuse(error);
        self.reads.refuse(error);
        for reply in self.checkpoints {
            let _ = reply.send(Err(error.clone()));
        }
        let closes = !self.close.is_empty();
        for reply in self.close {
            let _ = reply.send(Ok(()));
        }
        closes
    }
}

impl Batch {
    /// How many ask.
    pub(super) fn len(&self) -> usize {
        self.notes.questions.len()
            + self.opens.questions.len()
            + self.finds.questions.len()
            + self.enqueues.questions.len()
            + self.settles.questions.len()
            + self.events.questions.len()
            + self.tasks.questions.len()
            + self.exchanges.questions.len()
            + self.singles.questions.len()
    }

    /// Whether one statement serves it, which then is its own transaction.
    pub(super) fn is_one_statement(&self) -> bool {
        let len = self.len();
        len == self.notes.questions.len()
            || len == self.opens.questions.len()
            || len == self.events.questions.len()
            || len == 1 && self.singles.questions.len() == 1
    }

    pub(super) fn answer(&self, answers: Answers) {
        self.notes.answer(answers.notes);
        self.opens.answer(answers.opens);
        self.finds.answer(answers.finds);
        self.enqueues.answer(answers.enqueues);
        self.settles.answer(answers.settles);
        self.events.answer(answers.events);
        self.tasks.answer(answers.tasks);
        self.exchanges.answer(answers.exchanges);
        self.singles.answer(answers.singles);
    }

    pub(super) fn refuse(&self, error: &StoreError) {
        self.notes.refuse(error);
        self.opens.refuse(error);
        self.finds.refuse(error);
        self.enqueues.refuse(error);
        self.settles.refuse(error);
        self.events.refuse(error);
        self.tasks.refuse(error);
        self.exchanges.refuse(error);
        self.singles.refuse(error);
    }

    /// One batch for each who asks.
    pub(super) fn each(self) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::with_capacity(self.len());
        all.extend(self.notes.each().map(|notes| Self { notes, ..Self::default() }));
        all.extend(self.opens.each().map(|opens| Self { opens, ..Self::default() }));
        all.extend(self.finds.each().map(|finds| Self { finds, ..Self::default() }));
        all.extend(self.enqueues.each().map(|enqueues| Self { enqueues, ..Self::default() }));
        all.extend(self.settles.each().map(|settles| Self { settles, ..Self::default() }));
        all.extend(self.events.each().map(|events| Self { events, ..Self::default() }));
        all.extend(self.exchanges.each().map(|exchanges| Self { exchanges, ..Self::default() }));
        all.extend(self.tasks.each().map(|tasks| Self { tasks, ..Self::default() }));
        all.extend(self.singles.each().map(|singles| Self { singles, ..Self::default() }));
        all
    }
}

/// Runs a batch; one that writes, in one transaction, of which nothing is kept when it fails.
pub(super) async fn run<C: Connection>(
    connection: &mut C,
    batch: &Batch,
    writes: bool,
) -> Result<Answers, StoreError> {
    if !writes || batch.is_one_statement() {
        return statements(connection, batch).await;
    }
    connection.begin().await?;
    let answers = statements(connection, batch).await;
    connection.end(answers.is_ok()).await?;
    answers
}

async fn statements<C: Connection>(connection: &mut C, batch: &Batch) -> Result<Answers, StoreError> {
    let calls = journal::note(connection, batch).await?;
    let notes = vec![(); batch.notes.questions.len()];
    let enqueues = outbox::enqueue(connection, &batch.enqueues.questions, &calls).await?;
    let settles = outbox::settle(connection, &batch.settles.questions).await?;
    let taken = batch.enqueues.questions.iter().zip(&enqueues);
    let taken = taken.filter(|(_, enqueued)| matches!(enqueued, Enqueued::Accepted { .. }));
    let marks = taken.filter_map(|(enqueue, _)| enqueue.mark.as_deref());
    task::keep(connection, &batch.events.questions.iter().chain(marks).collect::<Vec<_>>()).await?;
    let events = vec![(); batch.events.questions.len()];
    let tasks = task::settle(connection, &batch.tasks.questions).await?;
    let exchanges = exchange::keep(connection, &batch.exchanges.questions).await?;
    let opens = journal::open(connection, &batch.opens.questions).await?;
    let finds = journal::find(connection, &batch.finds.questions).await?;
    let mut singles = Vec::with_capacity(batch.singles.questions.len());
    for single in &batch.singles.questions {
        singles.push(connection.rows(single.sql, single.input.clone()).await?);
    }
    Ok(Answers { notes, opens, finds, enqueues, settles, events, tasks, exchanges, singles })
}
