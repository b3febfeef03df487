//! What goes back over the wire, whole or broken.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use actix_web::web::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;

use super::answer::Answer;

/// What goes back over the wire.
pub(super) enum Reply {
    Whole(Answer),
    /// The head and half of the body, then the connection closes.
    Half(Answer),
    /// Not a byte.
    Nothing,
}

/// Writes it, with the clock of whoever answers in the header `Date`.
pub(super) fn write(reply: Reply, now: Timestamp) -> HttpResponse {
    let head = |answer: &Answer| {
        let mut head = head(answer);
        if let Ok(date) = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now) {
            head.insert_header((DATE, date));
        }
        head
    };
    let (answer, sent) = match reply {
        Reply::Whole(answer) => return head(&answer).body(answer.body),
        Reply::Half(answer) => {
            let half = answer.body.len() / 2;
            let sent = answer.body.get(..half.max(1)).map(Bytes::copy_from_slice);
            (answer, sent)
        }
        Reply::Nothing => (Answer::json(200, &Value::Null), None),
    };
    let body = BrokenOff { promised: answer.body.len() as u64, next: sent.map_or(Step::Break, Step::Send) };
    head(&answer).body(BoxBody::new(body))
}

fn head(answer: &Answer) -> actix_web::HttpResponseBuilder {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut head = HttpResponse::build(status);
    head.insert_header((CONTENT_TYPE, answer.content_type));
    if let Some(seconds) = answer.retry_after {
        head.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    head
}

/// A body that promises more than it sends. The server closes the connection at the error; what it has not flushed by then,
/// which without a first part is everything, is never sent.
struct BrokenOff {
    promised: u64,
    next: Step,
}

enum Step {
    Send(Bytes),
    /// Once `Pending`, so that the server flushes what it has.
    Flush,
    Break,
}

impl MessageBody for BrokenOff {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.promised)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, io::Error>>> {
        match std::mem::replace(&mut self.next, Step::Break) {
            Step::Send(part) => {
                self.next = Step::Flush;
                Poll::Ready(Some(Ok(part)))
            }
            Step::Flush => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Step::Break => Poll::Ready(Some(Err(io::Error::other("scripted: connection broken off")))),
        }
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        Err(self)
    }
}
