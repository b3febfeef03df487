//! A socket that ends by itself when its client keeps it without use, and reads no more than is being answered.
//!
//! The HTTP above it reads whatever a client sends, up to 128 KiB before it looks at it, and keeps the requests in it
//! until they are answered. A client that sends requests and takes no answers fills memory that way. Hence requests
//! are passed on one by one: the next when the one before has been answered, and the answer taken.

use std::any::Any;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use memchr::memchr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::connections::{ConnectionActivity, ConnectionTimeouts};

/// How many bytes are read while nothing can be passed on, to see whether the client is still there.
const AHEAD: usize = 2048;

/// A socket whose client has limited time for the head of a request, and for taking in an answer.
pub struct GuardedSocket<T> {
    io: T,
    timeouts: ConnectionTimeouts,
    traffic: ConnectionActivity,
    /// Fires at the latest when the connection may have timed out. It is moved only when it fires, not by every request.
    alarm: Pin<Box<Sleep>>,
    /// Runs while the client has not taken in everything written.
    stuck: Option<Pin<Box<Sleep>>>,
    over: bool,
    /// Bytes that were read and not passed on.
    ahead: Vec<u8>,
    /// Whether the client has sent its last byte.
    has_ended: bool,
    heads: Heads,
    /// How many heads may end in the bytes passed on before the HTTP above has parsed them.
    room: usize,
    /// Whether a head has ended in the bytes it has parsed.
    head_has_ended: bool,
    /// Bytes passed on since the last request was answered.
    passed: usize,
    /// Bytes that wait to be written.
    unwritten: usize,
    share: MemoryShare,
}

impl<T> GuardedSocket<T> {
    /// A new socket.
    pub fn new(
        io: T,
        timeouts: ConnectionTimeouts,
        traffic: ConnectionActivity,
        memory: &ConnectionMemory,
    ) -> Self {
        let alarm = Box::pin(sleep(timeouts.first));
        Self {
            io,
            timeouts,
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

    /// The activity of the connection, for the services of its requests.
    pub fn traffic(&self) -> ConnectionActivity {
        self.traffic.clone()
    }

    /// Whether no request arrived in time. Wakes the task when that may be the case.
    fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        while self.alarm.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            // While a request is served its end is unknown; the connection lasts for `between` beyond it at least.
            let end = self.traffic.end(&self.timeouts).unwrap_or(now + self.timeouts.between);
            if end <= now {
                return true;
            }
            self.alarm.set(sleep_until(end));
        }
        false
    }

    /// An error once the connection has to be closed.
    fn unless_dismissed(&self) -> io::Result<()> {
        match self.traffic.is_dismissed() {
            true => Err(io::ErrorKind::ConnectionAborted.into()),
            false => Ok(()),
        }
    }

    /// An error when unauthenticated connections use more memory than they may, and this one wants more. An authenticated
    /// one may always.
    fn hold(&mut self) -> io::Result<()> {
        let has_room = self.share.hold(self.ahead.len() + self.passed + self.unwritten);
        match has_room || self.traffic.is_authenticated() {
            true => Ok(()),
            false => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    /// Waits for as long as the client may take to take in everything written.
    fn unless_stuck<R>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<R>> {
        self.traffic.wake_by(context.waker());
        let first = self.timeouts.first;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(first)));
        stuck.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// `written` of `of` bytes were written.
    fn wrote(&mut self, written: usize, of: usize, context: &mut Context<'_>) -> io::Result<()> {
        self.unwritten = of.saturating_sub(written);
        if self.unwritten == 0 && self.stuck.take().is_some() {
            // The answers are written, so the next request may be passed on.
            context.waker().wake_by_ref();
        }
        self.hold()
    }
}

impl<T: 'static> GuardedSocket<T> {
    /// The socket itself.
    pub fn inner(&self) -> &dyn Any {
        &self.io
    }
}

impl<T: AsyncRead + Unpin> GuardedSocket<T> {
    /// Passes on what arrives, up to the end of one head.
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
            // The HTTP service polls again once it has parsed the bytes it has.
            self.end_turn();
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    /// The HTTP above parses what was passed on.
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
        // A client that sent nothing gets no answer: that is how unused connections end.
        if this.traffic.has_received() && this.stuck.is_none() {
            // No other answer is being written. One this short fits into the buffer of the socket, or the socket is stuck.
            let _ = Pin::new(&mut this.io).poll_write(context, &this.timeouts.too_slow);
        }
        // Zero bytes read means for the HTTP service that the client has ended the connection.
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

/// Finds where heads of requests end. Every head ends with an empty line; so may a part of a body, which does no harm
/// here.
#[derive(Debug, Default, Clone, Copy)]
struct Heads {
    line: HeadLine,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum HeadLine {
    /// It holds something.
    #[default]
    Filled,
    /// It has just begun.
    Empty,
    /// It holds a carriage return and nothing else.
    Returned,
}

impl Heads {
    /// How many of the bytes may be passed on before more heads end than there is `room` for. Subtracts from `room` the
    /// heads that end in them.
    fn fit(&mut self, bytes: &[u8], room: &mut usize) -> usize {
        let (mut passed, mut rest) = (0, bytes);
        while let Some((line, after)) = memchr(b'\n', rest).and_then(|at| rest.split_at_checked(at)) {
            self.line = self.line.with(line);
            if self.line != HeadLine::Filled {
                let Some(left) = room.checked_sub(1) else { return passed + line.len() };
                *room = left;
            }
            self.line = HeadLine::Empty;
            passed += line.len() + 1;
            rest = after.get(1..).unwrap_or_default();
        }
        self.line = self.line.with(rest);
        bytes.len()
    }
}

impl HeadLine {
    /// With more of it, but for its end.
    fn with(self, more: &[u8]) -> Self {
        match (self, more) {
            (_, []) => self,
            (Self::Empty, b"\r") => Self::Returned,
            _ => Self::Filled,
        }
    }
}

/// What each connection may always use: enough for head and body of every request of a flow.
const OWN: usize = 8 * 1024;
/// What unauthenticated connections may use beyond that, all of a listener together.
const SHARED: usize = 16 * 1024 * 1024;

/// The bytes that the connections of a listener use beyond their own.
#[derive(Debug, Clone, Default)]
pub struct ConnectionMemory(Arc<AtomicUsize>);

/// The share of one connection.
#[derive(Debug)]
struct MemoryShare {
    memory: ConnectionMemory,
    taken: usize,
}

impl ConnectionMemory {
    /// The share of a new connection.
    fn share(&self) -> MemoryShare {
        MemoryShare { memory: self.clone(), taken: 0 }
    }
}

impl MemoryShare {
    /// The connection uses this many bytes now. Returns whether they are available.
    fn hold(&mut self, bytes: usize) -> bool {
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
mod heads_tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    #[test]
    fn the_last_byte_of_a_head_is_kept_back_once_there_is_no_more_room() {
        let mut heads = Heads::default();
        let mut room = 1;
        let two = ONE.repeat(2);
        assert_eq!(heads.fit(&two, &mut room), two.len() - 1);
        assert_eq!(room, 0);
        assert_eq!(heads.fit(b"\n", &mut room), 0);
        assert_eq!(heads.fit(b"\n", &mut 1), 1);
    }

    #[test]
    fn lines_may_end_without_a_carriage_return() {
        let mut room = 5;
        assert_eq!(Heads::default().fit(b"GET / HTTP/1.1\nhost: x\n\nGET\n\r\n", &mut room), 30);
        assert_eq!(room, 3);
    }

    proptest! {
        #[test]
        fn it_is_the_same_in_whatever_pieces_they_come(
            bytes in "[\r\nx]{0,60}",
            cut in 0_usize..60,
            room in 0_usize..4,
        ) {
            let bytes = bytes.as_bytes();
            let (mut whole, mut left) = (Heads::default(), room);
            let fit = whole.fit(bytes, &mut left);
            let (mut pieces, mut remaining) = (Heads::default(), room);
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let mut passed = pieces.fit(first, &mut remaining);
            if passed == first.len() {
                passed += pieces.fit(second, &mut remaining);
            }
            prop_assert_eq!((fit, left), (passed, remaining));
        }
    }
}

#[cfg(test)]
mod memory_tests {
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
