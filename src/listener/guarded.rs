//! A socket that ends by itself when its client keeps it for nothing.

use std::any::Any;
use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_http::Protocol;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use super::traffic::{Patience, Traffic};

/// A socket whose other end has only so long for the head of a request, and for taking in an answer.
pub struct Guarded<T> {
    io: T,
    protocol: Protocol,
    patience: Patience,
    traffic: Traffic,
    /// Looks again at the latest when the connection may be over. It is moved only when it rings, not by every request.
    alarm: Pin<Box<Sleep>>,
    /// Runs while the client takes in nothing.
    stuck: Option<Pin<Box<Sleep>>>,
    over: bool,
}

impl<T> Guarded<T> {
    /// A socket that has just been opened.
    #[must_use]
    pub fn new(io: T, protocol: Protocol, patience: Patience) -> Self {
        let alarm = Box::pin(sleep(patience.first));
        Self { io, protocol, patience, traffic: Traffic::new(), alarm, stuck: None, over: false }
    }

    /// What happens on it: for those who serve its requests.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
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

    /// A write that goes on as long as the client takes anything in.
    fn unless_stuck<R>(
        &mut self,
        written: Poll<io::Result<R>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<R>> {
        if written.is_ready() {
            self.stuck = None;
            return written;
        }
        let first = self.patience.first;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(first)));
        stuck.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: 'static> Guarded<T> {
    /// The socket itself.
    #[must_use]
    pub fn inner(&self) -> &dyn Any {
        &self.io
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.over {
            return Poll::Ready(Ok(()));
        }
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        if read.is_ready() {
            self.traffic.hear();
            return read;
        }
        if !self.is_late(context) {
            return Poll::Pending;
        }
        self.over = true;
        // Who said nothing is not told anything: that is how unused connections end.
        if self.protocol == Protocol::Http1 && self.traffic.heard() {
            let this = self.as_mut().get_mut();
            // Nothing else is being written now. An answer this short fits into the socket, or it is stuck anyway.
            let _ = Pin::new(&mut this.io).poll_write(context, &this.patience.too_slow);
        }
        // Nothing read means that the other side has ended the connection: so it looks to the HTTP above.
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.unless_stuck(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(context);
        self.unless_stuck(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.io).poll_shutdown(context);
        self.unless_stuck(shut, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.unless_stuck(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}
