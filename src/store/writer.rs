//! The writer: one task that owns the connection, serves whoever waits together, and connects again when the
//! database has failed.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use prometheus::Histogram;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::StoreError;
use super::batch::{Answers, Batch, Job, Sorted};
use super::engine::{FileId, Limits, Link, Target};
use super::lock::ServiceLock;

/// How many are served together at most.
const MOST: usize = 256;

/// How much the writer has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// What was asked of it.
    pub commands: u64,
    /// How often it wrote for that: fsyncs on SQLite.
    pub commits: u64,
}

/// What the handles see of the writer.
#[derive(Debug, Default)]
pub(super) struct Health {
    outage: Mutex<Option<StoreError>>,
    /// Wakes who waits for the end of an outage.
    recovered: Notify,
    commands: AtomicU64,
    commits: AtomicU64,
    /// Where the seconds of a commit are told.
    commit_seconds: OnceLock<Histogram>,
}

impl Health {
    /// Tells the seconds of each commit here from now on.
    pub(super) fn measure(&self, commit_seconds: Histogram) {
        // Whoever came first measures them.
        let _ = self.commit_seconds.set(commit_seconds);
    }

    fn committed(&self, began: Instant) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        if let Some(seconds) = self.commit_seconds.get() {
            seconds.observe(began.elapsed().as_secs_f64());
        }
    }

    pub(super) fn ready(&self) -> Result<(), StoreError> {
        match &*self.outage.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Waits until there is no outage.
    pub(super) async fn recovered(&self) {
        let mut recovered = pin!(self.recovered.notified());
        // Before the look: an outage that ends between the two wakes it too.
        recovered.as_mut().enable();
        if self.ready().is_err() {
            recovered.await;
        }
    }

    pub(super) fn work(&self) -> Work {
        Work {
            commands: self.commands.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
        }
    }

    fn set(&self, outage: Option<StoreError>) {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = outage;
    }
}

/// The task.
pub(super) struct Writer {
    target: Target,
    connection: Option<Link>,
    /// The file of SQLite that the connection has open.
    file: Option<FileId>,
    jobs: mpsc::Receiver<Job>,
    health: Arc<Health>,
    limits: Limits,
    /// Until the last connection is closed.
    lock: Option<ServiceLock>,
}

impl Writer {
    pub(super) fn new(
        target: Target,
        connection: Link,
        jobs: mpsc::Receiver<Job>,
        health: Arc<Health>,
        limits: Limits,
        lock: Option<ServiceLock>,
    ) -> Self {
        let file = target.file_id();
        Self { target, connection: Some(connection), file, jobs, health, limits, lock }
    }

    /// Serves until the last handle is gone or one of them closes the store.
    pub(super) async fn run(mut self) {
        let mut waiting = Vec::with_capacity(MOST);
        loop {
            if let Err(outage) = self.health.ready()
                && !self.recover(&outage).await
            {
                return;
            }
            if self.jobs.recv_many(&mut waiting, MOST).await == 0 {
                break;
            }
            self.health.commands.fetch_add(waiting.len() as u64, Ordering::Relaxed);
            let sorted = Sorted::of(waiting.drain(..));
            if self.serve(sorted).await {
                return;
            }
        }
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    /// Gives whether the store is to be closed.
    async fn serve(&mut self, sorted: Sorted) -> bool {
        self.answer(sorted.writes, true).await;
        self.answer(sorted.reads, false).await;
        for reply in sorted.checkpoints {
            let result = self.checkpoint().await;
            // Who has gone in the meantime needs no answer.
            let _ = reply.send(result);
        }
        if sorted.close.is_empty() {
            return false;
        }
        self.jobs.close();
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
        self.lock = None;
        for reply in sorted.close {
            let _ = reply.send(Ok(()));
        }
        true
    }

    /// Answers all at once; if one of them is refused, each alone, so that the others do not suffer.
    async fn answer(&mut self, batch: Batch, writes: bool) {
        if batch.len() == 0 {
            return;
        }
        let batch = Arc::new(batch);
        match self.attempt(&batch, writes).await {
            Ok(answers) => batch.answer(answers),
            Err(error) if error.is_outage() => batch.refuse(&error),
            // Whoever had the batch has answered, and lets go of it.
            Err(error) => match Arc::try_unwrap(batch) {
                Ok(batch) => self.answer_each(batch, writes).await,
                Err(batch) => batch.refuse(&error),
            },
        }
    }

    async fn answer_each(&mut self, batch: Batch, writes: bool) {
        for alone in batch.each() {
            // Alone, and once more: what another replica was doing meanwhile can be seen now.
            let alone = Arc::new(alone);
            match self.attempt(&alone, writes).await {
                Ok(answers) => alone.answer(answers),
                Err(error) => alone.refuse(&error),
            }
        }
    }

    async fn attempt(&mut self, batch: &Arc<Batch>, writes: bool) -> Result<Answers, StoreError> {
        // The system would let us write to a file that was removed or replaced: all of it would be lost with the process.
        if writes && self.connection.is_some() && self.file.is_some() && self.target.file_id() != self.file {
            let gone = StoreError::File(io::ErrorKind::NotFound);
            self.fail(&gone);
            return Err(gone);
        }
        let Some(connection) = &mut self.connection else { return Err(self.outage()) };
        let began = Instant::now();
        let done = connection.run(batch, writes);
        let result = tokio::time::timeout(self.limits.batch, done).await.unwrap_or(Err(StoreError::Slow));
        match &result {
            Ok(_) if writes => self.health.committed(began),
            Ok(_) => {}
            Err(error) if error.is_outage() => self.fail(error),
            Err(_) => {}
        }
        result
    }

    async fn checkpoint(&mut self) -> Result<bool, StoreError> {
        let Some(connection) = &mut self.connection else { return Err(self.outage()) };
        let result = tokio::time::timeout(self.limits.batch, connection.checkpoint()).await;
        let result = result.unwrap_or(Err(StoreError::Slow));
        if let Err(error) = &result
            && error.is_outage()
        {
            self.fail(error);
        }
        result
    }

    /// The connection may be in the middle of anything: it is given up.
    fn fail(&mut self, error: &StoreError) {
        tracing::error!(%error, "the store does not work");
        self.connection = None;
        self.health.set(Some(error.clone()));
    }

    fn outage(&self) -> StoreError {
        self.health.ready().err().unwrap_or(StoreError::Closed)
    }

    /// Connects again, and meanwhile refuses at once whatever is asked. Gives whether to go on.
    async fn recover(&mut self, outage: &StoreError) -> bool {
        let (target, limits) = (self.target.clone(), self.limits);
        let mut recovered = pin!(async move {
            loop {
                tokio::time::sleep(limits.retry).await;
                if let Ok(connection) = target.recover(&limits).await {
                    return connection;
                }
            }
        });
        let mut waiting = Vec::new();
        loop {
            tokio::select! {
                connection = &mut recovered => {
                    tracing::info!("the store works again");
                    self.connection = Some(connection);
                    self.file = self.target.file_id();
                    self.health.set(None);
                    self.health.recovered.notify_waiters();
                    return true;
                }
                taken = self.jobs.recv_many(&mut waiting, MOST) => {
                    if taken == 0 || Sorted::of(waiting.drain(..)).refuse(outage) {
                        return false;
                    }
                }
            }
        }
    }
}
