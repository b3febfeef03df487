//! scv-bridge: between Webex Contact Center and Salesforce Service Cloud Voice.
//!
//! # The path of a call through the bridge
//!
//! A folder knows only the folders below it: a call walks straight down, and its answer straight up.
//!
//! 1. A caller dials. The Webex flow sends createVoiceCall, and [`api::public`] has its route. [`api::access`] goes
//!    around every request: its id, its time, its line in the log.
//! 2. The [`api::ApiContext`] asks who calls ([`api::Callers`], which knows secrets, access tokens and certificates), sets the
//!    deadline (a [`salesforce::Budget`]) and reads the body into a [`domain::CreateVoiceCall`]. Names and times are
//!    parsed there, once; everything that is wrong is told at once, as an [`api::ApiError`].
//! 3. On the way each phone number goes through a [`phone::Translation`]: the clean-up, then the administrator's rules,
//!    on an engine that counts its steps.
//! 4. [`bridge::Bridge::create`] is the verb: what happens to a call, one file each, whichever way Salesforce is reached.
//!    A create takes its turn ([`bridge::Turns`]), so that a repeated one joins the one in flight, and asks the journal
//!    whether the call is known ([`store::Store::open_call`]): then Salesforce is not asked again. A create that began at
//!    another time may be that of a later flow run, to which an agent has given the call: [`domain::Interaction::place`] decides.
//! 5. A [`salesforce::Gate`] stands before each org: a breaker, a number of places and a limit of creates, so that a
//!    Salesforce that is down costs a caller nothing.
//! 6. [`salesforce::Org`] is a contact center's way there: the telephony API with a token that we sign with a
//!    [`certificate::SigningCertificate`], or the Apex wrapper under an OAuth session. What comes back is judged in one
//!    place, [`salesforce::judge`]: an [`salesforce::AnswerOutcome`], and in the end the id of the VoiceCall or a
//!    [`salesforce::Failure`].
//! 7. The id is written into the journal, as a [`store::Note`], before it is answered. Notes only add: they may come in
//!    any order, and more than once.
//! 8. The answer is an envelope that is always whole. A failure chooses the status by one question: may the same
//!    request help if the flow sends it again?
//!
//! executeOmniFlow ([`bridge::Bridge::route`]) walks the same way. updateVoiceCall and clearRouting may be withheld by
//! [`domain::guard`]; if not, they are put into the [`outbox::Outbox`] in one commit with what they tell of the call, and
//! only then tried, within the deadline. What Salesforce does not take then, the [`outbox::Worker`] sends later, in order for
//! each call; [`outbox::verdict`] decides what an attempt means, [`outbox::Schedule`] when the next is due.
//!
//! Then the caller hangs up, and Webex says so for every call, answered or not. phoneContactEnded leads to
//! [`bridge::Bridge::end`], which waits for a create in flight and asks [`domain::decide`], a pure function over what the
//! journal knows: was the call abandoned? If it seems so, and that is configured, the VoiceCall itself is asked for an
//! agent ([`salesforce::Org::agent_in_record`]). If nobody had it, clearing its routing and one final update with the
//! reason go through the outbox together; if an agent had it, Salesforce hears nothing from us.
//!
//! Webex tells of the same call by webhooks, in any order: [`webex::Webhook`] reads one, [`bridge::Bridge::keep_event`] keeps it. A
//! [`domain::CallTimeline`] makes a story of them, and once the call has ended, [`webex::TaskWorker`] has
//! [`bridge::Bridge::conclude`] do what a flow's phoneContactEnded would. Where a contact center wants it, the whole story
//! goes into the final update, as a [`domain::FinalRecord`]; a [`webex::RecordingClient`] asks Webex for recordings.
//!
//! Where a contact center fills fields of its VoiceCalls, what requests and webhooks tell is picked from them on their way
//! ([`domain::PickedValues`]) and kept as details beside the journal; [`domain::fill`] decides, at the create and at the final
//! update, what goes into `callAttributes`.
//!
//! # Around it
//!
//! What webhooks lost, [`webex::Reconciler`] finds: it compares Webex's own records of calls that have ended with what the
//! bridge knows, and tells it the events that are missing.
//!
//! [`store::Store`] holds journal and outbox, in SQLite or PostgreSQL; what it has answered is durable.
//!
//! [`doctor::examine`] asks the real world whether a set-up works, with the clients that the service has, and says of each
//! fault what it means and what to do.
//!
//! [`settings::Settings`] is the configuration, checked as a whole before anything starts. [`app::Application`] wires all
//! of it to two listeners, each a [`listener::Listener`] that no slow client can occupy; an [`api::Throttle`] keeps those
//! out who guess secrets. [`lifecycle::run`] runs it, lets requests in flight end, and has the configuration read again
//! ([`app::Handle::reread`]) on SIGHUP and when a [`watch::Watcher`] sees a file change. [`telemetry`] is what operators see.
//! Time and randomness are passed in, as [`clock::Clock`] and [`ids::Ids`]. [`mock::MockOrg`] is an org as strict as the
//! real one, for tests and for the demo, where [`webex_flow::model`] plays the vendor's published flow. [`cli`] is the command
//! line.

pub mod api;
pub mod app;
pub mod bridge;
pub mod certificate;
pub mod cli;
pub mod clock;
pub mod doctor;
pub mod domain;
pub mod ids;
pub mod jitter;
pub mod lifecycle;
pub mod listener;
pub mod notices;
pub mod outbox;
pub mod phone;
pub mod salesforce;
pub mod settings;
mod sliding_window;
pub mod store;
pub mod telemetry;
pub mod watch;
pub mod webex;

#[cfg(feature = "demo")]
pub use scv_bridge_mock as mock;
