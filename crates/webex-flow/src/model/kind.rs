//! What activities do.

use serde_json::Value;

use super::event::Event;
use super::variable::VariableType;

/// What an activity does, with the fields that matter for a call. All fields are in [`Activity::properties`](super::Activity).
#[derive(Debug, Clone, PartialEq)]
pub enum ActivityKind {
    /// A contact enters the flow.
    Start(Event),
    /// A subflow is entered.
    SubflowStart,
    /// An event flow is entered.
    Event(Event),
    /// Set Variable.
    SetVariable(Vec<Assignment>),
    /// Condition.
    Condition {
        /// The expression that is true or false.
        expression: String,
    },
    /// Case.
    Case {
        /// The expression whose value is looked for.
        expression: String,
        /// The cases in order; no case is the exit `default`.
        cases: Vec<Branch>,
    },
    /// Business Hours.
    BusinessHours {
        /// The schedule.
        schedule: Option<Choice>,
    },
    /// Percentage Allocation.
    PercentageAllocation(Vec<Allocation>),
    /// HTTP Request.
    HttpRequest(Box<HttpRequest>),
    /// Business rules engine request.
    RulesRequest {
        /// Query parameters.
        query: Vec<(String, String)>,
        /// What is taken out of the answer.
        outputs: Vec<Output>,
    },
    /// Parse.
    Parse {
        /// The variable that is parsed.
        input: String,
        /// Its format.
        content_type: Option<String>,
        /// What is taken out of it.
        outputs: Vec<Output>,
    },
    /// Function.
    Function {
        /// The id of the function.
        id: Option<String>,
        /// Which version of it.
        version: Option<String>,
        /// What it is given.
        inputs: Vec<Mapping>,
        /// What is taken out of its result.
        outputs: Vec<Output>,
    },
    /// Subflow.
    Subflow {
        /// The id of the subflow.
        id: Option<String>,
        /// Its name.
        name: Option<String>,
        /// Which version of it.
        version: Option<String>,
        /// What it is given.
        inputs: Vec<Mapping>,
        /// What it hands back.
        outputs: Vec<Mapping>,
    },
    /// Queue Contact.
    QueueContact(QueueContact),
    /// Queue To Agent.
    QueueToAgent {
        /// The agent, usually a variable.
        agent: String,
        /// Whether that is an id or an e-mail address.
        lookup: Option<String>,
        /// The queue in reports.
        reporting_queue: Option<Choice>,
        /// The queue if the agent is not free.
        recovery_queue: Option<Choice>,
        /// Whether the contact waits for the agent.
        is_parked: bool,
    },
    /// Callback.
    Callback {
        /// The number that is called back.
        number: Option<String>,
        /// The queue; nothing means the queue the contact is in.
        queue: Option<Choice>,
        /// The number that is shown.
        caller_id: Option<String>,
    },
    /// Schedule Callback.
    ScheduledCallback {
        /// The number that is called back.
        number: Option<String>,
        /// The queue.
        queue: Option<Choice>,
        /// The day.
        date: Option<String>,
        /// When it begins and ends.
        window: (Option<String>, Option<String>),
        /// The time zone of all that.
        time_zone: Option<String>,
    },
    /// Get Queue Info.
    GetQueueInfo {
        /// The queue.
        queue: Option<Choice>,
        /// Over how many minutes the expected wait is estimated.
        lookback_minutes: Option<u64>,
    },
    /// Advanced Queue Information.
    AdvancedQueueInfo {
        /// The queue.
        queue: Option<Choice>,
    },
    /// Escalate Call Distribution.
    EscalateCallDistribution {
        /// To which group.
        group: Option<String>,
    },
    /// Play Message.
    PlayMessage(Vec<Prompt>),
    /// Play Music.
    PlayMusic {
        /// The file or the variable with its name.
        file: Option<Choice>,
        /// How long it plays.
        duration_seconds: Option<u64>,
    },
    /// Menu.
    Menu {
        /// What the caller hears.
        prompts: Vec<Prompt>,
        /// Digits and what they stand for.
        digits: Vec<Branch>,
        /// How long a digit is waited for.
        entry_timeout_seconds: Option<u64>,
        /// Whether the prompt can be interrupted.
        is_interruptible: bool,
    },
    /// Collect Digits.
    CollectDigits {
        /// What the caller hears.
        prompts: Vec<Prompt>,
        /// The fewest digits.
        minimum: Option<u64>,
        /// The most digits.
        maximum: Option<u64>,
        /// What ends the input.
        terminator: Option<String>,
        /// How long the first digit is waited for.
        entry_timeout_seconds: Option<u64>,
        /// How long each further digit is waited for.
        inter_digit_timeout_seconds: Option<u64>,
    },
    /// Record.
    Record {
        /// How long at most.
        maximum_seconds: Option<u64>,
    },
    /// Send Digits.
    SendDigits {
        /// The digits.
        digits: String,
    },
    /// Virtual Agent.
    VirtualAgent {
        /// The id of the agent.
        id: Option<String>,
    },
    /// Blind Transfer.
    BlindTransfer {
        /// The number.
        number: String,
    },
    /// Bridged Transfer.
    BridgedTransfer {
        /// The number.
        number: String,
        /// How long an answer is waited for.
        timeout_seconds: Option<u64>,
    },
    /// GoTo: hands the contact to another flow or entry point.
    HandOff {
        /// Where it goes.
        target: Option<Choice>,
    },
    /// Set Caller ID.
    SetCallerId {
        /// The number that is shown.
        number: Option<String>,
    },
    /// Set Contact Priority.
    SetContactPriority {
        /// The priority, 1 to 9, or a variable.
        priority: Option<String>,
    },
    /// Recording Control.
    RecordingControl,
    /// Set Announcement.
    SetAnnouncement,
    /// Set Whisper Announcement.
    SetWhisperAnnouncement(Vec<Prompt>),
    /// Start Media Stream.
    StartMediaStream,
    /// Screen Pop.
    ScreenPop {
        /// The address that is opened.
        url: Option<String>,
        /// Its query parameters.
        query: Vec<(String, String)>,
    },
    /// Feedback and its survey.
    Feedback {
        /// How it is asked.
        method: Option<String>,
    },
    /// Wait.
    Wait {
        /// How long, as hours, minutes and seconds.
        duration: Option<String>,
    },
    /// Disconnect Contact.
    DisconnectContact,
    /// End Flow.
    EndFlow,
    /// End Subflow.
    EndSubflow,
    /// Something that we do not know.
    Unknown {
        /// How the export calls it.
        activity_type: String,
    },
}

/// A row of Set Variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The variable that is set.
    pub variable: String,
    /// Its type.
    pub value_type: VariableType,
    /// The text or expression it is set to.
    pub value: String,
    /// Whether the value was chosen from the list of variables instead of being written.
    pub is_variable: bool,
}

/// A way out with the value it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The condition of the edge.
    pub exit: String,
    /// The value of a case, or the name of a digit.
    pub value: String,
}

/// A share of the contacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// The condition of the edge.
    pub exit: String,
    /// The share.
    pub percent: u64,
}

/// Something of the organization: chosen from a list, or named by a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Chosen from a list.
    Static {
        /// Its id.
        id: String,
        /// Its name, if the export has it.
        name: Option<String>,
    },
    /// Named by an expression.
    Variable(String),
}

/// What is taken out of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The variable that is set.
    pub variable: String,
    /// The JSONPath, which may hold expressions.
    pub path: String,
}

/// A variable that is handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The variable of this flow.
    pub variable: String,
    /// The name at the other side.
    pub target: String,
}

/// What a caller hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// A file.
    File(String),
    /// A text that is spoken.
    Text(String),
    /// A file named by a variable.
    Variable(String),
}

/// An HTTP request.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRequest {
    /// Whether it goes through a connector.
    pub is_authenticated: bool,
    /// The connector.
    pub connector_id: Option<String>,
    /// Its name.
    pub connector_name: Option<String>,
    /// The path below the connector's address.
    pub path: Option<String>,
    /// The address without a connector.
    pub url: Option<String>,
    /// The method.
    pub method: String,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
    /// The type of the body.
    pub content_type: Option<String>,
    /// How the answer is parsed.
    pub parse_type: Option<String>,
    /// How long an answer is waited for.
    pub timeout_ms: u64,
    /// How often it is sent again after a 5xx.
    pub retries: u64,
    /// What is taken out of the answer.
    pub outputs: Vec<Output>,
}

/// A queue.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueContact {
    /// The queue.
    pub queue: Option<Choice>,
    /// The queue if the variable names none.
    pub fallback_queue: Option<Choice>,
    /// Telephony, chat, ...
    pub channel: Option<String>,
    /// Skill requirements and their relaxation, as they are in the export.
    pub skills: Option<Value>,
    /// The priority, or a variable.
    pub priority: Option<String>,
    /// Whether agents have to be there.
    pub checks_agent_availability: bool,
}

impl ActivityKind {
    /// Whether contacts enter here.
    pub fn is_entry(&self) -> bool {
        matches!(self, Self::Start(_) | Self::SubflowStart | Self::Event(_))
    }

    /// Whether nothing follows.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::DisconnectContact | Self::EndFlow | Self::EndSubflow | Self::HandOff { .. })
    }

    /// The name of the activity in the editor.
    pub fn label(&self) -> &str {
        match self {
            Self::Start(_) => "Start",
            Self::SubflowStart => "Start Subflow",
            Self::Event(_) => "Event",
            Self::SetVariable(_) => "Set Variable",
            Self::Condition { .. } => "Condition",
            Self::Case { .. } => "Case",
            Self::BusinessHours { .. } => "Business Hours",
            Self::PercentageAllocation(_) => "Percentage Allocation",
            Self::HttpRequest(_) => "HTTP Request",
            Self::RulesRequest { .. } => "BRE Request",
            Self::Parse { .. } => "Parse",
            Self::Function { .. } => "Function",
            Self::Subflow { .. } => "Subflow",
            Self::QueueContact(_) => "Queue Contact",
            Self::QueueToAgent { .. } => "Queue To Agent",
            Self::Callback { .. } => "Callback",
            Self::ScheduledCallback { .. } => "Schedule Callback",
            Self::GetQueueInfo { .. } => "Get Queue Info",
            Self::AdvancedQueueInfo { .. } => "Advanced Queue Information",
            Self::EscalateCallDistribution { .. } => "Escalate Call Distribution",
            Self::PlayMessage(_) => "Play Message",
            Self::PlayMusic { .. } => "Play Music",
            Self::Menu { .. } => "Menu",
            Self::CollectDigits { .. } => "Collect Digits",
            Self::Record { .. } => "Record",
            Self::SendDigits { .. } => "Send Digits",
            Self::VirtualAgent { .. } => "Virtual Agent",
            Self::BlindTransfer { .. } => "Blind Transfer",
            Self::BridgedTransfer { .. } => "Bridged Transfer",
            Self::HandOff { .. } => "GoTo",
            Self::SetCallerId { .. } => "Set Caller ID",
            Self::SetContactPriority { .. } => "Set Contact Priority",
            Self::RecordingControl => "Recording Control",
            Self::SetAnnouncement => "Set Announcement",
            Self::SetWhisperAnnouncement(_) => "Set Whisper Announcement",
            Self::StartMediaStream => "Start Media Stream",
            Self::ScreenPop { .. } => "Screen Pop",
            Self::Feedback { .. } => "Feedback",
            Self::Wait { .. } => "Wait",
            Self::DisconnectContact => "Disconnect Contact",
            Self::EndFlow => "End Flow",
            Self::EndSubflow => "End Subflow",
            Self::Unknown { activity_type } => activity_type,
        }
    }
}
