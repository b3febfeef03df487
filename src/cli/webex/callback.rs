//! The one page of our own that a browser visits on its way back from Webex.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use openssl::memcmp;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::Url;

/// The most that is read of a request.
const LONGEST_REQUEST: usize = 16 * 1024;
/// How long a visitor may take to ask.
const PATIENCE: Duration = Duration::from_secs(5);

/// Listens on loopback, for IPv4 and, where there is one, IPv6: a browser takes either for `localhost`.
pub struct Callback {
    v4: TcpListener,
    v6: Option<TcpListener>,
    port: u16,
}

/// What the browser brings.
#[derive(Debug, PartialEq, Eq)]
pub enum CallbackResult {
    /// The administrator has agreed.
    Code(String),
    /// They have not, or Webex does not let them.
    Refused(String),
}

/// The browser, which still waits for its page.
pub struct Visitor(TcpStream);

impl Callback {
    /// Takes a port of this machine; 0 takes any.
    pub async fn bind(port: u16) -> std::io::Result<Self> {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = v4.local_addr()?.port();
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        Ok(Self { v4, v6, port })
    }

    /// The port that was taken.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the browser that brings `state`. Whoever else comes is sent away and ends nothing.
    pub async fn wait(&self, state: &str) -> std::io::Result<(CallbackResult, Visitor)> {
        loop {
            let stream = match &self.v6 {
                Some(v6) => tokio::select! {
                    accepted = self.v4.accept() => accepted?.0,
                    accepted = v6.accept() => accepted?.0,
                },
                None => self.v4.accept().await?.0,
            };
            let mut visitor = Visitor(stream);
            let target = timeout(PATIENCE, visitor.target()).await.ok().flatten().unwrap_or_default();
            if let Some(called) = judge(&target, state) {
                return Ok((called, visitor));
            }
            visitor.answer("404 Not Found", "This is not the page that Webex sends you to.").await;
        }
    }
}

impl Visitor {
    /// What is asked for: path and query of a GET.
    async fn target(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if head.len() > LONGEST_REQUEST || self.0.read_buf(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let head = String::from_utf8(head).ok()?;
        let mut words = head.lines().next()?.split(' ');
        (words.next()? == "GET").then(|| words.next().map(str::to_owned))?
    }

    /// Shows a page and closes.
    pub async fn tell(self, text: &str) {
        let mut visitor = self;
        visitor.answer("200 OK", text).await;
    }

    async fn answer(&mut self, status: &str, text: &str) {
        let page = format!("<!doctype html><meta charset=utf-8><title>scv-bridge</title><p>{text}</p>\n");
        let length = page.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
             cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}"
        );
        // A browser that has gone needs no page.
        let _ = self.0.write_all(answer.as_bytes()).await;
        let _ = self.0.shutdown().await;
    }
}

/// What a visitor brings, if it is who we wait for: somebody who knows the state.
fn judge(target: &str, state: &str) -> Option<CallbackResult> {
    let url = Url::parse("http://localhost").ok()?.join(target).ok()?;
    let value =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let brought = value("state")?;
    let same = brought.len() == state.len() && memcmp::eq(brought.as_bytes(), state.as_bytes());
    if url.path() != "/callback" || !same {
        return None;
    }
    match (value("code"), value("error")) {
        (Some(code), None) if !code.is_empty() => Some(CallbackResult::Code(code)),
        (_, Some(error)) => {
            let words = value("error_description").unwrap_or(error);
            Some(CallbackResult::Refused(crate::domain::quote(&words)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_state_is_let_in() {
        let code = || Some(CallbackResult::Code("c d".to_owned()));
        assert_eq!(judge("/callback?code=c%20d&state=s1", "s1"), code());
        assert_eq!(judge("/callback?state=s1&code=c+d&x=y", "s1"), code());
        let refused = Some(CallbackResult::Refused("no way".to_owned()));
        assert_eq!(judge("/callback?error=access_denied&error_description=no%20way&state=s1", "s1"), refused);
        for target in [
            "/callback?code=c&state=s2",
            "/callback?code=c",
            "/callback?code=c&state=",
            "/callback?code=&state=s1",
            "/callback?state=s1",
            "/favicon.ico",
            "/other?code=c&state=s1",
            "",
        ] {
            assert_eq!(judge(target, "s1"), None, "{target}");
        }
    }
}
