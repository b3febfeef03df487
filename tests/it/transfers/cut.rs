//! A connection to the database that is cut between the reads of one hang-up.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::*;
use crate::postgres::Postgres;
use crate::stage::{BOUND, Reply, omni_flow};

/// Nothing is cut.
const NEVER: usize = usize::MAX;

/// Stands between a bridge and PostgreSQL, and cuts the connection that asks one question too many.
#[derive(Clone)]
struct Relay {
    address: SocketAddr,
    /// The questions to the journal that pass before a connection is cut.
    left: Arc<AtomicUsize>,
}

impl Relay {
    async fn start(server: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let relay = Self { address: listener.local_addr().unwrap(), left: Arc::new(AtomicUsize::new(NEVER)) };
        let accepting = relay.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&server).await.unwrap();
                tokio::spawn(accepting.clone().pass(client, server));
            }
        });
        relay
    }

    /// Ends both connections when one of them ends, or a question is not to be answered.
    async fn pass(self, client: TcpStream, server: UnixStream) {
        let (asking, mut answered) = client.into_split();
        let (mut answering, asked) = server.into_split();
        tokio::select! {
            _ = self.ask(asking, asked) => {}
            _ = copy(&mut answering, &mut answered) => {}
        }
    }

    async fn ask(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> std::io::Result<()> {
        let mut statements: HashMap<Vec<u8>, String> = HashMap::new();
        // The first message has no letter before its length.
        let mut head = vec![0; 4];
        loop {
            from.read_exact(&mut head).await?;
            let (letter, length) = head.split_at(head.len() - 4);
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            let mut body = vec![0; length - 4];
            from.read_exact(&mut body).await?;
            let mut words = body.split(|byte| *byte == 0);
            let [one, two] = [(); 2].map(|()| words.next().unwrap_or_default().to_vec());
            match letter {
                b"P" => drop(statements.insert(one, String::from_utf8(two).unwrap())),
                b"B" if statements.get(&two).is_some_and(|sql| asks_the_journal(sql)) => {
                    let passes = |left: usize| if left == NEVER { None } else { Some(left.wrapping_sub(1)) };
                    if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, passes) == Ok(0) {
                        return Ok(());
                    }
                }
                _ => {}
            }
            to.write_all(&head).await?;
            to.write_all(&body).await?;
            head.resize(5, 0);
        }
    }
}

/// What only requests ask, and neither the worker of the outbox nor housekeeping.
fn asks_the_journal(sql: &str) -> bool {
    sql.trim_start().starts_with("SELECT") && !sql.contains("outbox") && !sql.contains("meta")
}

/// The answer to the flow's repetition, once the bridge has found its way back to the database.
async fn repeated(stage: &Stage) -> Reply {
    let again = async {
        loop {
            let reply = stage.post("phoneContactEnded", hang_up(AGENT)).await;
            if reply.status != 503 {
                break reply;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(BOUND, again).await.unwrap()
}

#[actix_web::test]
async fn a_hang_up_whose_reads_were_cut_off_is_to_come_again_and_never_taken_for_answered() {
    let mut outcomes = Vec::new();
    for place in 0.. {
        let postgres = Postgres::shared();
        let url = url::Url::parse(&postgres.database()).unwrap();
        let (_, folder) = url.query_pairs().find(|(name, _)| name == "host").unwrap();
        let relay = Relay::start(PathBuf::from(&*folder).join(".s.PGSQL.5432")).await;
        let through = format!("postgres://bridge@{}{}?sslmode=disable", relay.address, url.path());
        let stage = Plan::telephony().store(through).ask_salesforce().start().await;
        let first = taken(&stage, "wxcc_1").await;
        let second = created(&stage, later("wxcc_1", SECOND)).await;
        stage.post("executeOmniFlow", omni_flow(&second)).await.data();
        relay.left.store(place, Ordering::SeqCst);
        let reply = stage.post("phoneContactEnded", hang_up(AGENT)).await;
        let was_cut = relay.left.swap(NEVER, Ordering::SeqCst) == NEVER;
        let outcome = match reply.status {
            200 => reply.data()["outcome"].as_str().unwrap().to_owned(),
            status => status.to_string(),
        };
        assert!(["abandoned", "503"].contains(&outcome.as_str()), "cut at {place}: {}", reply.text);
        let again = repeated(&stage).await;
        let expected = if outcome == "503" { "abandoned" } else { "duplicate" };
        assert_eq!(again.data()["outcome"], expected, "cut at {place}");
        let told = record(&stage, &second);
        assert_eq!(told.disconnect_reason.as_deref(), Some("Abandoned in queue"), "cut at {place}");
        assert_eq!((told.pending_routing, told.updates), (None, 1), "cut at {place}");
        assert_eq!(record(&stage, &first).updates, 0, "cut at {place}");
        if !was_cut {
            break;
        }
        outcomes.push(outcome);
    }
    assert!(!outcomes.is_empty() && outcomes.iter().all(|outcome| outcome == "503"), "{outcomes:?}");
}
