//! The flow as an export of the editor, made out of the vendor's.
//!
//! The editor keeps two sides of a flow: activities with links, and a diagram with a widget for each of them under the same id. What
//! only Webex knows, ids of its activities and events and the forms of widgets, is taken from the vendor's export; what belongs to the
//! vendor's organisation goes.

use std::collections::HashMap;

use openssl::sha::sha256;
use serde_json::{Map, Value, json};

use super::plan::{Kind, Plan, Process, Step};
use super::v2;

/// Ids of activities that the vendor's flow does not have; published exports agree on them.
const PLAY_MESSAGE: &str = "5f114466ef5cfc454fbbf131";
const DISCONNECT: &str = "5faa898c8bf5b65b82f0706b";
const EVENT_FLOWS: &str = "/eventFlows/eventsMap/GLOBAL_EVENTS";
/// How far widgets stand from each other.
const COLUMN: usize = 240;
const ROW: usize = 140;
/// Where the ports of a widget are, from its corner.
const PORT_WIDTH: usize = 167;
const PORT_HEIGHT: usize = 18;
const PORT_DISTANCE: usize = 36;

/// Why an export does not serve.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UiError {
    /// It is something else.
    #[error("the vendor's export has no `{0}`")]
    Missing(&'static str),
    /// An activity is not in it.
    #[error("the vendor's export has no activity `{0}`")]
    NoActivity(&'static str),
}

pub(super) fn write(plan: &Plan, export: &Value) -> Result<Value, UiError> {
    let known = Known::read(export)?;
    let mut flow = export.as_object().cloned().ok_or(UiError::Missing("name"))?;
    let (main, events) = (Drawing::of(plan, &plan.main, &known)?, Drawing::of(plan, &plan.events, &known)?);
    let events = events.with_other_events(&known);
    for (name, value) in identity(plan) {
        flow.insert(name.to_owned(), value);
    }
    for name in ["createdBy", "createdDate", "lastModifiedBy", "lastModifiedDate"] {
        flow.insert(name.to_owned(), Value::Null);
    }
    flow.insert("variables".to_owned(), variables(plan, export));
    let on_events: Map<String, Value> = events.on_events.iter().cloned().collect();
    let mut flow = Value::Object(flow);
    set(&mut flow, "/process", "process", main.process())?;
    set(&mut flow, "/diagram/widgets", "diagram", Value::Object(main.widgets))?;
    let event_flow = flow.pointer_mut(EVENT_FLOWS).ok_or(UiError::Missing("eventFlows"))?;
    set(event_flow, "/process", "process", events.process())?;
    set(event_flow, "/diagram/widgets", "diagram", Value::Object(events.widgets))?;
    set(event_flow, "/onEvents", "onEvents", Value::Object(on_events))?;
    Ok(flow)
}

fn set(target: &mut Value, place: &str, name: &'static str, value: Value) -> Result<(), UiError> {
    *target.pointer_mut(place).ok_or(UiError::Missing(name))? = value;
    Ok(())
}

/// What names the flow and its organisation. Webex fills in its own when it imports.
fn identity(plan: &Plan) -> [(&'static str, Value); 7] {
    let short = |name: &str| hash(&plan.name, name).chars().take(24).collect::<String>();
    [
        ("name", json!(plan.name)),
        ("description", json!(v2::DESCRIPTION)),
        ("orgId", Value::Null),
        ("id", json!(short("version"))),
        ("flowId", json!(short("flow"))),
        ("version", json!(1)),
        ("comment", Value::Null),
    ]
}

/// The form of a variable is the vendor's.
fn variables(plan: &Plan, export: &Value) -> Value {
    let vendors = export.get("variables").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let variables = plan.variables.iter().map(|variable| {
        let form = vendors.iter().find(|known| known.get("name") == Some(&json!(variable.name)));
        let mut fields = form.or(vendors.first()).and_then(Value::as_object).cloned().unwrap_or_default();
        let own = json!({
            "name": variable.name,
            "description": variable.description,
            "type": "STRING",
            "value": "",
            "isCAD": !variable.label.is_empty(),
            "desktopLabel": variable.label,
            "isAgentEditable": false,
        });
        merge(&mut fields, own);
        Value::Object(fields)
    });
    variables.collect()
}

fn merge(fields: &mut Map<String, Value>, own: Value) {
    if let Value::Object(own) = own {
        fields.extend(own);
    }
}

/// Hexadecimal digits that are always the same for the same words.
fn hash(flow: &str, name: &str) -> String {
    sha256(format!("{flow}\n{name}").as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id in the form of a UUID.
fn id(flow: &str, name: &str) -> String {
    let mut id = String::new();
    for (place, digit) in hash(flow, name).chars().take(32).enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(match place {
            12 => '4',
            16 => 'a',
            _ => digit,
        });
    }
    id
}

/// What is taken over from the vendor's export.
struct Known<'a> {
    activities: Vec<&'a Value>,
}

impl<'a> Known<'a> {
    fn read(export: &'a Value) -> Result<Self, UiError> {
        let places = ["/process/activities".to_owned(), format!("{EVENT_FLOWS}/process/activities")];
        let mut activities = Vec::new();
        for place in places {
            let found = export.pointer(&place).and_then(Value::as_object);
            activities.extend(found.ok_or(UiError::Missing("activities"))?.values());
        }
        Ok(Self { activities })
    }

    fn properties(&self, matches: impl Fn(&Map<String, Value>) -> bool) -> Option<Map<String, Value>> {
        let all = self.activities.iter().filter_map(|activity| activity.get("properties")?.as_object());
        all.into_iter().find(|fields| matches(fields)).cloned()
    }

    fn by_name(&self, name: &'static str) -> Result<Map<String, Value>, UiError> {
        self.properties(|fields| text(fields, "activityName") == name).ok_or(UiError::NoActivity(name))
    }

    /// The properties of a step: the vendor's of such an activity, under our own.
    fn of(&self, plan: &Plan, step: &Step) -> Result<Map<String, Value>, UiError> {
        let mut fields = match &step.kind {
            Kind::Start => self
                .properties(|fields| fields.get("flowType").is_some_and(Value::is_object))
                .ok_or(UiError::NoActivity("start"))?,
            Kind::Event { specification } => self
                .properties(|fields| text(fields, "eventSpecificationName") == *specification)
                .ok_or(UiError::NoActivity(specification))?,
            Kind::Set(_) => self.by_name("set-variable")?,
            Kind::Http(_) => self.by_name("http-request-v2")?,
            Kind::Condition(_) => self.by_name("condition-activity")?,
            Kind::Queue(_) => self.by_name("queue-contact")?,
            Kind::Music(_) => self.by_name("play-music")?,
            Kind::MediaStream => self.by_name("start-media-stream")?,
            Kind::End => self.by_name("end")?,
            Kind::Message(_) => fixed(PLAY_MESSAGE),
            Kind::Disconnect => fixed(DISCONNECT),
        };
        match &step.kind {
            Kind::Start => merge(&mut fields, json!({"activityName": step.name, "event": step.name})),
            // The editor calls the node of an event by the specification, expressions by what `event` says.
            Kind::Event { .. } => {
                merge(&mut fields, json!({"event": step.name, "displayName": step.name}));
                return Ok(fields);
            }
            Kind::Queue(queue) => merge(
                &mut fields,
                json!({
                    "queueRadioGroup": "staticQueue", "destination": queue.id, "destination:name": queue.name,
                    "destination_name": queue.name, "destination:type": null, "destination_type": null,
                }),
            ),
            // The activity's own id stays, and so does the vendor's form of what the plan does not say.
            _ => merge(&mut fields, own(plan, step)),
        }
        merge(&mut fields, json!({"name": step.name, "description": step.description}));
        Ok(fields)
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn fixed(activity_id: &str) -> Map<String, Value> {
    Map::from_iter([("activityId".to_owned(), Value::from(activity_id))])
}

/// The properties of FlowV2: the editor has the same, and more of the vendor's form.
fn own(plan: &Plan, step: &Step) -> Value {
    let mut own = v2::properties(plan, step);
    if let Some(fields) = own.as_object_mut() {
        // The editor has none.
        fields.remove("activityType");
        for (place, row) in
            (0..).zip(fields.get_mut("setVariablesArray").and_then(Value::as_array_mut).into_iter().flatten())
        {
            if let Some(row) = row.as_object_mut() {
                row.insert("id".to_owned(), json!(id(&plan.name, &format!("{} row {place}", step.name))));
            }
        }
    }
    own
}

/// Activities, links and their widgets.
struct Drawing {
    flow: String,
    activities: Map<String, Value>,
    links: Vec<Value>,
    widgets: Map<String, Value>,
    on_events: Vec<(String, Value)>,
}

/// A port of a widget, as links point at it.
struct Port {
    id: String,
    x: usize,
    y: usize,
}

impl Drawing {
    fn of(plan: &Plan, process: &Process, known: &Known<'_>) -> Result<Self, UiError> {
        let mut drawing = Self {
            flow: plan.name.clone(),
            activities: Map::new(),
            links: Vec::new(),
            widgets: Map::new(),
            on_events: Vec::new(),
        };
        let mut places = places(process);
        for step in &process.steps {
            let properties = known.of(plan, step)?;
            let place = places.remove(step.name.as_str()).unwrap_or_default();
            drawing.step(process, step, &properties, place);
        }
        Ok(drawing)
    }

    fn process(&self) -> Value {
        json!({"activities": self.activities, "links": self.links})
    }

    fn id(&self, name: &str) -> String {
        id(&self.flow, name)
    }

    /// An activity with its widget, and the links that leave it with theirs.
    fn step(
        &mut self,
        process: &Process,
        step: &Step,
        properties: &Map<String, Value>,
        place: (usize, usize),
    ) {
        let group = group(&step.kind);
        let activity = self.id(&step.name);
        if let Kind::Event { specification } = step.kind {
            self.on_events.push((specification.to_owned(), json!(activity)));
        }
        let name = properties.get("name").cloned().unwrap_or_else(|| json!(step.name));
        let value = json!({"id": activity, "name": name, "group": group, "properties": properties});
        self.activities.insert(activity.clone(), value);
        let mut ports = Vec::new();
        if !matches!(step.kind, Kind::Start | Kind::Event { .. }) {
            let arriving = process.edges.iter().filter(|edge| edge.to == step.name);
            let links: Vec<String> =
                arriving.map(|edge| self.id(&format!("widget {} {}", edge.from, edge.port))).collect();
            ports.push(self.port(&step.name, "in", place, &links));
        }
        for edge in process.edges.iter().filter(|edge| edge.from == step.name) {
            let links = [self.id(&format!("widget {} {}", edge.from, edge.port))];
            ports.push(self.port(&step.name, edge.port, out(process, &step.name, edge.port, place), &links));
        }
        let widget = json!({
            "id": self.id(&format!("widget {}", step.name)), "type": group, "widgetType": "activity",
            "label": "New Activity Widget in Diagram", "point": {"x": place.0, "y": place.1},
            "ports": ports, "properties": properties,
        });
        self.widgets.insert(activity, widget);
        for edge in process.edges.iter().filter(|edge| edge.from == step.name) {
            self.link(process, &edge.from, &edge.to, edge.port, place);
        }
    }

    fn port(&self, step: &str, name: &str, (x, y): (usize, usize), links: &[String]) -> Value {
        let is_in = name == "in";
        let side = if is_in { "left" } else { "right" };
        let mut port = json!({
            "portId": self.id(&format!("port {step} {name}")), "isSourcePort": is_in, "type": "arrow",
            "properties": {
                "x": if is_in { x } else { x + PORT_WIDTH }, "y": y + PORT_HEIGHT, "name": name, "label": name, "alignment": side,
            },
        });
        if let Some(fields) = port.as_object_mut() {
            fields.insert("linkId".to_owned(), links.first().map_or(Value::Null, |link| json!(link)));
            fields.insert("links".to_owned(), json!(links));
        }
        port
    }

    fn link(&mut self, process: &Process, from: &str, to: &str, port: &str, place: (usize, usize)) {
        let link = self.id(&format!("link {from} {port}"));
        self.links.push(json!({
            "id": link, "sourceActivityId": self.id(from), "targetActivityId": self.id(to), "conditionExpr": port,
            "properties": {"value": port},
        }));
        let (x, y) = out(process, from, port, place);
        let source =
            Port { id: self.id(&format!("port {from} {port}")), x: x + PORT_WIDTH, y: y + PORT_HEIGHT };
        let (x, y) = places(process).remove(to).unwrap_or_default();
        let target = Port { id: self.id(&format!("port {to} in")), x, y: y + PORT_HEIGHT };
        let point = |end: &Port, name: &str| json!({"id": self.id(&format!("{name} of {from} {port}")), "type": "point", "x": end.x, "y": end.y});
        let end = |end: &Port, step: &str| {
            let widget = self.id(&format!("widget {step}"));
            json!({"id": end.id, "activeWidgetId": widget, "point": {"x": end.x, "y": end.y}})
        };
        let widget = json!({
            "id": self.id(&format!("widget {from} {port}")), "type": "arrow", "widgetType": "link", "label": "",
            "properties": {
                "curvyness": 50, "selected": false, "color": "#545454", "width": 2, "selectedColor": "#007aa3",
                "points": [point(&source, "begin"), point(&target, "end")],
            },
            "points": [], "sourcePort": end(&source, from), "targetPort": end(&target, to),
        });
        self.widgets.insert(link, widget);
    }

    /// The editor shows all events: those that the flow does not answer stand there without a link.
    fn with_other_events(mut self, known: &Known<'_>) -> Self {
        let all = known.activities.iter().filter_map(|activity| activity.get("properties")?.as_object());
        let mut row = self.activities.len();
        for properties in all {
            let specification = text(properties, "eventSpecificationName").to_owned();
            let is_new =
                !specification.is_empty() && self.on_events.iter().all(|(event, _)| *event != specification);
            if !is_new {
                continue;
            }
            row += 1;
            let activity = self.id(&specification);
            let place = (0, row * ROW);
            let port = self.port(&specification, "out", place, &[]);
            self.widgets.insert(activity.clone(), json!({
                "id": self.id(&format!("widget {specification}")), "type": "event", "widgetType": "activity",
                "label": "New Activity Widget in Diagram", "point": {"x": place.0, "y": place.1},
                "ports": [port], "properties": properties,
            }));
            let value =
                json!({"id": activity, "name": specification, "group": "event", "properties": properties});
            self.activities.insert(activity.clone(), value);
            self.on_events.push((specification, json!(activity)));
        }
        self
    }
}

/// The group of an activity, which is its widget's type too.
fn group(kind: &Kind) -> &'static str {
    match kind {
        Kind::Start => "start",
        Kind::Event { .. } => "event",
        Kind::Set(_) => "set-variable",
        Kind::Condition(_) => "enum-gateway",
        Kind::Disconnect => "terminating-action",
        Kind::End => "end",
        Kind::Http(_) | Kind::Queue(_) | Kind::Music(_) | Kind::Message(_) | Kind::MediaStream => "action",
    }
}

/// Where the port stands: ports of one activity stand below each other.
fn out(process: &Process, step: &str, port: &str, (x, y): (usize, usize)) -> (usize, usize) {
    let mut ports = process.edges.iter().filter(|edge| edge.from == step);
    (x, y + PORT_DISTANCE * ports.position(|edge| edge.port == port).unwrap_or_default())
}

/// Where each activity stands: a column further than what leads to it, each column filled from above.
fn places(process: &Process) -> HashMap<&str, (usize, usize)> {
    let mut places = HashMap::new();
    let mut filled: Vec<usize> = Vec::new();
    let entries = process.steps.iter().filter(|step| matches!(step.kind, Kind::Start | Kind::Event { .. }));
    let mut open: std::collections::VecDeque<_> = entries.map(|step| (step.name.as_str(), 0)).collect();
    while let Some((name, column)) = open.pop_front() {
        if places.contains_key(name) {
            continue;
        }
        if filled.len() <= column {
            filled.resize(column + 1, 0);
        }
        let row = filled.get_mut(column).map_or(0, |row| {
            *row += 1;
            *row
        });
        places.insert(name, (column * COLUMN, row * ROW));
        let leaving = process.edges.iter().filter(|edge| edge.from == name);
        open.extend(leaving.map(|edge| (edge.to.as_str(), column + 1)));
    }
    places
}
