//! Traces: a span for each request, for what Salesforce and the database are asked, and for each attempt of the outbox.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use scv_bridge::mock::{BadDay, Operation};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::stage::{Plan, Reply, Stage, create, ended};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// The head and the body of a request.
type Batch = (String, Vec<u8>);

/// What a collector has got.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<Batch>>>);

impl Collected {
    fn spans(&self) -> Vec<Span> {
        let batches = self.0.lock().unwrap();
        let requests =
            batches.iter().map(|(_, body)| ExportTraceServiceRequest::decode(body.as_slice()).unwrap());
        let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|spans| spans.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }

    fn named(&self, name: &str) -> Vec<Span> {
        self.spans().into_iter().filter(|span| span.name == name).collect()
    }

    fn the(&self, name: &str) -> Span {
        let spans = self.named(name);
        assert_eq!(spans.len(), 1, "{name}: {spans:?}");
        spans[0].clone()
    }
}

/// A collector that answers every batch with this status.
async fn collector(status: &'static str) -> (u16, Collected) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, collected) = (listener.local_addr().unwrap().port(), Collected::default());
    let keep = collected.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (mut reader, mut head, mut length) = (BufReader::new(socket), String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).await.unwrap();
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
                head += &line;
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).await.unwrap();
            keep.0.lock().unwrap().push((head, body));
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            reader.get_mut().write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (port, collected)
}

async fn stage(port: u16, keys: &str) -> Stage {
    let traces = format!("[traces]\nendpoint = \"http://127.0.0.1:{port}\"\n{keys}\n");
    Plan::telephony().sections(&traces).start().await
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
    Some(format!("{:?}", found.value.as_ref()?.value.as_ref()?))
}

async fn create_traced(stage: &Stage, sampled: &str) -> Reply {
    let request = stage.flow("createVoiceCall", create("wxcc_1"));
    Reply::of(request.header("traceparent", format!("00-{TRACE}-{PARENT}-{sampled}"))).await
}

#[actix_web::test]
async fn a_request_is_a_span_in_the_flows_trace_with_what_was_asked_for_it_below() {
    let (port, collected) = collector("200 OK").await;
    let stage = stage(port, "authorization = \"Bearer of-the-collector\"").await;
    create_traced(&stage, "01").await.data();
    stage.handle.send_spans().await;
    let request = collected.the("createVoiceCall request");
    assert_eq!(hex::encode(&request.trace_id), TRACE);
    assert_eq!(hex::encode(&request.parent_span_id), PARENT);
    assert_eq!(attribute(&request, "http.response.status_code").unwrap(), "IntValue(200)");
    assert_eq!(
        attribute(&request, "scv.call_center").unwrap(),
        format!("StringValue({:?})", crate::stage::CENTER)
    );
    let salesforce = collected.the("salesforce create");
    assert_eq!(salesforce.parent_span_id, request.span_id);
    assert_eq!(attribute(&salesforce, "scv.result").unwrap(), "StringValue(\"done\")");
    let commits = collected.named("store commit");
    assert!(commits.iter().all(|commit| commit.parent_span_id == request.span_id), "{commits:?}");
    assert!(!commits.is_empty());
    let shown = format!("{:?}", collected.spans());
    for hidden in ["wxcc_1", "4693150217", "of-the-collector"] {
        assert!(!shown.contains(hidden), "{hidden}");
    }
    let (head, _) = collected.0.lock().unwrap()[0].clone();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
    assert!(head.contains("authorization: Bearer of-the-collector"), "{head}");
}

#[actix_web::test]
async fn a_call_is_named_where_the_setting_allows_it() {
    let (port, collected) = collector("200 OK").await;
    let stage = stage(port, "vendor_call_key = true").await;
    stage.call("wxcc_1").await;
    stage.handle.send_spans().await;
    let key = attribute(&collected.the("createVoiceCall request"), "scv.vendor_call_key");
    assert_eq!(key.unwrap(), "StringValue(\"wxcc_1\")");
    stage.call("wxcc_+14695550177").await;
    stage.handle.send_spans().await;
    assert!(
        !format!("{:?}", collected.spans()).contains("4695550177"),
        "a key that is a number stays hidden"
    );
}

#[actix_web::test]
async fn an_attempt_of_the_outbox_is_a_span_with_what_salesforce_was_asked_below() {
    let (port, collected) = collector("200 OK").await;
    let stage = stage(port, "").await;
    stage.call("wxcc_1").await;
    stage.script_times(BadDay::Unavailable { retry_after: None }, 1, Operation::Update);
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    stage.deliver(60).await;
    stage.handle.send_spans().await;
    let attempts = collected.named("outbox attempt");
    assert!(!attempts.is_empty());
    for attempt in &attempts {
        assert!(attempt.parent_span_id.is_empty(), "the worker begins traces of its own");
        assert!(attribute(attempt, "scv.entry.kind").is_some());
        let asked = collected.spans();
        let asked = asked.iter().filter(|span| span.parent_span_id == attempt.span_id);
        assert!(asked.count() > 0, "{attempt:?}");
    }
}

#[actix_web::test]
async fn a_flow_that_wants_no_spans_gets_none_and_neither_does_a_trace_beyond_the_share() {
    let (port, collected) = collector("200 OK").await;
    let stage = stage(port, "sample_ratio = 0.0").await;
    create_traced(&stage, "00").await.data();
    stage.call("wxcc_2").await;
    stage.handle.send_spans().await;
    assert_eq!(collected.spans(), []);
}

#[actix_web::test]
async fn a_collector_that_refuses_or_is_not_there_costs_no_call() {
    let (refusing, _) = collector("503 No").await;
    for port in [refusing, 1] {
        let stage = stage(port, "").await;
        create_traced(&stage, "01").await.data();
        stage.handle.send_spans().await;
        stage.call("wxcc_2").await;
    }
}
