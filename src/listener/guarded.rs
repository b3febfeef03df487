//! A socket that ends by itself when its client keeps it for nothing, and reads no more than is being answered.
//!
//! The HTTP above it reads whatever a client sends, up to 128 KiB before it looks at it, and keeps the requests in it
//! until they are answered. A client that sends requests and takes no answers fills memory that way. Hence requests
//! are passed on one by one: the next when the one before has been answered, and the answer taken.

use std::any::Any;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::heads::Heads;
use super::memory::{ConnectionMemory, MemoryShare};
use super::traffic::{ConnectionActivity, ConnectionTimeouts};

/// How much is read while nothing can be passed on. It is read to see whether the client is still there.
const AHEAD: usize = 2048;

/// A socket whose other end has only so long for the head of a request, and for taking in an answer.
pub struct GuardedSocket<T> {
    io: T,
    patience: ConnectionTimeouts,
    traffic: ConnectionActivity,
    /// Looks again at the latest when the connection may be over. It is moved only when it rings, not by every request.
    alarm: Pin<Box<Sleep>>,
    /// Runs while the client has not taken in all that was to be written.
    stuck: Option<Pin<Box<Sleep>>>,
    over: bool,
    /// What was read and not passed on.
    ahead: Vec<u8>,
    /// Nothing comes after that.
    has_ended: bool,
    heads: Heads,
    /// How many heads may end in what is passed on before the HTTP above has looked at it.
    room: usize,
    /// Whether a head has ended in what it has looked at.
    head_has_ended: bool,
    /// What was passed on since the last request was answered.
    passed: usize,
    /// What waits to be written.
    unwritten: usize,
    share: MemoryShare,
}

impl<T> GuardedSocket<T> {
    /// A socket that has just been opened.
    #[must_use]
    pub fn new(
        io: T,
        patience: ConnectionTimeouts,
        traffic: ConnectionActivity,
        memory: &ConnectionMemory,
    ) -> Self {
        let alarm = Box::pin(sleep(patience.first));
        Self {
            io,
            patience,
            traffic,
            alarm,
            stuck: None,
            over: false,
            ahead: Vec::new(),
            has_ended: false,
            heads: Heads::default(),
            room: 1,
            head_has_ended: false,
            passed: 0,
            unwritten: 0,
            share: memory.share(),
        }
    }

    /// What happens on it: for those who serve its requests.
    #[must_use]
    pub fn traffic(&self) -> ConnectionActivity {
        self.traffic.clone()
    }

    /// Whether no request arrived in time. Wakes the task when that may have come about.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        while self.alarm.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            // While a request is served its end is unknown; the connection lasts for `between` beyond it at least.
            let end = self.traffic.end(&self.patience).unwrap_or(now + self.patience.between);
            if end <= now {
                return true;
            }
            self.alarm.set(sleep_until(end));
        }
        false
    }

    /// An error once the connection has to give way to another.
    fn unless_dismissed(&self) -> io::Result<()> {
        match self.traffic.is_dismissed() {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }

    /// An error when strangers hold more than they may, and this is the one who wants more. Who has logged in is not
    /// asked.
    fn hold(&mut self) -> io::Result<()> {
        let has_room = self.share.hold(self.ahead.len() + self.passed + self.unwritten);
        match has_room || self.traffic.is_authenticated() {
            true => Ok(()),
            false => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    /// Waits for as long as the client may take to take in all that is to be written.
    fn unless_stuck<R>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        self.traffic.wake_by(context.waker());
        let first = self.patience.first;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(first)));
        stuck.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// So many of so many bytes were written.
    fn wrote(&mut self, written: usize, of: usize, context: &mut Context<'_>) -> io::Result<()> {
        self.unwritten = of.saturating_sub(written);
        if self.unwritten == 0 && self.stuck.take().is_some() {
            // Requests that were kept back may be passed on.
            context.waker().wake_by_ref();
        }
        self.hold()
    }
}

impl<T: 'static> GuardedSocket<T> {
    /// The socket itself.
    #[must_use]
    pub fn inner(&self) -> &dyn Any {
        &self.io
    }
}

impl<T: AsyncRead + Unpin> GuardedSocket<T> {
    /// Passes on what comes, up to the end of one head.
    fn pass_on(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.head_has_ended && !self.traffic.is_serving() {
            (self.head_has_ended, self.passed) = (false, 0);
        }
        let before = buffer.filled().len();
        if self.ahead.is_empty() {
            if !self.has_ended && Pin::new(&mut self.io).poll_read(context, buffer)?.is_pending() {
                self.end_turn();
                return Poll::Pending;
            }
            let fresh = buffer.filled().get(before..).unwrap_or_default();
            if fresh.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let fit = self.heads.fit(fresh, &mut self.room);
            self.ahead = fresh.get(fit..).unwrap_or_default().to_vec();
            buffer.set_filled(before + fit);
        } else {
            let most = self.ahead.len().min(buffer.remaining());
            let fresh = self.ahead.get(..most).unwrap_or_default();
            let fit = self.heads.fit(fresh, &mut self.room);
            buffer.put_slice(fresh.get(..fit).unwrap_or_default());
            self.ahead = self.ahead.split_off(fit);
        }
        let passed = buffer.filled().len() - before;
        self.passed += passed;
        self.hold()?;
        self.traffic.note_arrival();
        if passed == 0 {
            // Once the HTTP above has looked at what it has, it asks again.
            self.end_turn();
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// The HTTP above looks at what was passed on.
    fn end_turn(&mut self) {
        self.head_has_ended |= self.room == 0;
        self.room = 1;
    }

    /// Passes nothing on but the end of the connection.
    fn look_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut piece = [0; AHEAD];
        while !self.has_ended && self.ahead.len() < AHEAD {
            let mut piece = ReadBuf::new(&mut piece);
            if Pin::new(&mut self.io).poll_read(context, &mut piece)?.is_pending() {
                return Poll::Pending;
            }
            self.has_ended = piece.filled().is_empty();
            self.ahead.extend_from_slice(piece.filled());
        }
        match self.has_ended && self.ahead.is_empty() {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for GuardedSocket<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.unless_dismissed()?;
        if this.over {
            return Poll::Ready(Ok(()));
        }
        this.traffic.wake_by(context.waker());
        let read = if this.stuck.is_some() || this.traffic.is_working() {
            this.look_ahead(context)
        } else {
            this.pass_on(context, buffer)
        };
        if read.is_ready() || !this.is_late(context) {
            return read;
        }
        this.over = true;
        // Who said nothing is not told anything: that is how unused connections end.
        if this.traffic.has_received() && this.stuck.is_none() {
            // Nothing else is being written now. An answer this short fits into the socket, or it is stuck anyway.
            let _ = Pin::new(&mut this.io).poll_write(context, &this.patience.too_slow);
        }
        // Nothing read means that the other side has ended the connection: so it looks to the HTTP above.
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for GuardedSocket<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.unless_dismissed()?;
        let written = Pin::new(&mut self.io).poll_write(context, bytes)?;
        let count = if let Poll::Ready(count) = written { count } else { 0 };
        self.wrote(count, bytes.len(), context)?;
        if written.is_ready() { written.map(Ok) } else { self.unless_stuck(context) }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.unless_dismissed()?;
        if Pin::new(&mut self.io).poll_flush(context)?.is_pending() {
            return self.unless_stuck(context);
        }
        let left = self.unwritten;
        Poll::Ready(self.wrote(0, left, context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.unless_dismissed()?;
        if Pin::new(&mut self.io).poll_shutdown(context)?.is_ready() {
            return Poll::Ready(Ok(()));
        }
        self.unless_stuck(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.unless_dismissed()?;
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts)?;
        let count = if let Poll::Ready(count) = written { count } else { 0 };
        self.wrote(count, parts.iter().map(|part| part.len()).sum(), context)?;
        if written.is_ready() { written.map(Ok) } else { self.unless_stuck(context) }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
