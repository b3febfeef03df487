//! Reads what the bodies of all voice routes have alike: contact center, call, numbers, attributes.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::ApiError;
use super::body::{BodyFields, JsonObject, UnsetWords, kind};
use crate::domain::{
    CallCenterName, CallReference, CertificateName, DisconnectReason, Origin, Participant, PickedValues,
    VendorCallKey, quote,
};
use crate::phone::{PhoneNumber, Translation};
use crate::settings::{Api, CallCenter, Client, Settings, nearest};

/// The longest `callAttributes`, in bytes, and how deep they may nest. They contain a value for each field of a record:
/// more than this is a mistake, and Salesforce would refuse it later with a worse message.
const ATTRIBUTES_LIMIT: usize = 16 * 1024;
const ATTRIBUTES_DEPTH: usize = 8;

/// The side of a number, which has rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberSide {
    /// The caller.
    From,
    /// The dialed number.
    To,
}

impl NumberSide {
    fn of(self, center: &CallCenter) -> &Translation {
        match self {
            Self::From => &center.translations.from,
            Self::To => &center.translations.to,
        }
    }
}

/// The body of a voice request, while it is read for a contact center.
pub struct VoiceBody<'a> {
    /// The fields that are not read yet.
    pub fields: BodyFields,
    /// The contact center, if the body names one that is configured.
    pub center: Option<&'a CallCenter>,
    /// The values at the paths of the contact center's attributes.
    pub picked: PickedValues,
    /// The name of `center`.
    call_center: Option<CallCenterName>,
    certificate: Option<CertificateName>,
    /// The caller's number as it came and as it was translated: flows send it twice.
    caller: Option<(String, PhoneNumber)>,
}

/// The configured name that was probably meant, for the end of a message.
fn meant<'n>(name: &str, known: impl Iterator<Item = &'n String>) -> String {
    let known = known.cloned().collect();
    nearest(name, &known).map_or_else(String::new, |meant| format!("; did you mean {meant}?"))
}

impl<'a> VoiceBody<'a> {
    /// Reads the contact center and the certificate.
    ///
    /// # Errors
    /// When the client may not use the contact center; anything else is a problem among the others.
    pub fn begin(
        body: JsonObject,
        settings: &'a Settings,
        client: &Client,
        unset: &UnsetWords,
    ) -> Result<Self, ApiError> {
        let mut fields = BodyFields::new(body, unset);
        let name =
            fields.required("callCenterDevName", |fields, name| fields.name(name, CallCenterName::parse));
        if let Some(name) = &name
            && !client.may_use(name.as_ref())
        {
            return Err(ApiError::Forbidden { call_center: name.to_string() });
        }
        let center = name.as_ref().and_then(|name| settings.call_centers.get(name.as_ref()));
        if let (Some(name), None) = (&name, center) {
            fields.problem(
                "callCenterDevName",
                format_args!(
                    "no contact center {} is configured{}",
                    quote(name.as_ref()),
                    meant(name.as_ref(), settings.call_centers.keys().filter(|known| client.may_use(known)))
                ),
            );
        }
        // Attributes are picked from the fields as the flow sent them, before any is taken or translated.
        let picked = center.map(|center| picked(&fields, center)).unwrap_or_default();
        let certificate = fields.name("certDevName", CertificateName::parse);
        // With the Apex API, `certDevName` names a certificate stored in the org, which only Salesforce can check.
        let ours = !matches!(center.map(|center| &center.api), Some(Api::Apex(_)));
        if let Some(name) = &certificate
            && ours
            && !settings.certificates.contains_key(name.as_ref())
        {
            fields.problem(
                "certDevName",
                format_args!(
                    "no certificate {} is configured{}",
                    quote(name.as_ref()),
                    meant(name.as_ref(), settings.certificates.keys())
                ),
            );
        }
        let call_center = name.filter(|_| center.is_some());
        Ok(Self { fields, center, picked, call_center, certificate, caller: None })
    }

    /// The contact center and the certificate.
    pub fn origin(&self) -> Option<Origin> {
        Some(Origin { call_center: self.call_center.clone()?, certificate: self.certificate.clone() })
    }

    /// The name of the contact center, if it is configured.
    pub fn call_center(&self) -> Option<&CallCenterName> {
        self.call_center.as_ref()
    }

    /// `vendorCallKey`, or `wxcc_` and `interactionId`.
    pub fn vendor_call_key(&mut self) -> Option<VendorCallKey> {
        let key = self.fields.name("vendorCallKey", VendorCallKey::parse);
        let id = self.fields.name("interactionId", |id| VendorCallKey::of_interaction(&id));
        key.or(id)
    }

    /// The same, and a problem if there is neither.
    pub fn required_vendor_call_key(&mut self) -> Option<VendorCallKey> {
        self.required("vendorCallKey", Self::vendor_call_key)
    }

    /// `voiceCallId`, which may be an id or a key; else the key of the call.
    pub fn call(&mut self) -> Option<CallReference> {
        let named = self.fields.name("voiceCallId", CallReference::parse);
        let key = self.vendor_call_key();
        named.or(key.map(CallReference::Key))
    }

    /// The same, and a problem if there is neither.
    pub fn required_call(&mut self) -> Option<CallReference> {
        self.required("voiceCallId", Self::call)
    }

    /// As [`BodyFields::required`], for values of several fields.
    pub fn required<T>(&mut self, name: &str, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.fields.count_problems();
        let found = take(self);
        if found.is_none() && self.fields.count_problems() == before {
            self.fields.problem(name, "missing or empty");
        }
        found
    }

    /// A number, translated.
    pub fn number(&mut self, name: &str, rules: NumberSide) -> Option<PhoneNumber> {
        let text = self.fields.named(name)?;
        let number = translate(&mut self.fields, name, &text, self.center.map(|center| rules.of(center)))?;
        if rules == NumberSide::From {
            self.caller = Some((text, number.clone()));
        }
        Some(number)
    }

    /// `participants`: at least one, with key and type each.
    pub fn participants(&mut self) -> Option<Vec<Participant>> {
        let list = match self.fields.take("participants") {
            None => Vec::new(),
            Some(Value::Array(list)) => list,
            Some(other) => {
                self.fields.problem("participants", format_args!("expected a list, got {}", kind(&other)));
                return None;
            }
        };
        if list.is_empty() {
            self.fields.problem(
                "participants",
                "missing or empty; expected [{\"participantKey\": number, \"type\": \"END_USER\"}]",
            );
        }
        // All participants are read before the first failure ends this, so that every problem is reported.
        let read: Vec<_> = list.into_iter().enumerate().map(|(at, one)| self.participant(at, one)).collect();
        read.into_iter().collect()
    }

    fn participant(&mut self, at: usize, value: Value) -> Option<Participant> {
        let part = format!("participants[{at}]");
        let Value::Object(fields) = value else {
            self.fields.problem(&part, format_args!("expected an object, got {}", kind(&value)));
            return None;
        };
        let mut fields = self.fields.part(fields);
        let key = fields.required("participantKey", BodyFields::named);
        let role = fields.required("type", BodyFields::text);
        let key = key.and_then(|key| match &self.caller {
            _ if role.as_deref() != Some("END_USER") => Some(PhoneNumber::new(key)),
            Some((text, number)) if *text == key => Some(number.clone()),
            _ => translate(
                &mut fields,
                "participantKey",
                &key,
                self.center.map(|center| NumberSide::From.of(center)),
            ),
        });
        let rest = fields.rest();
        self.fields.absorb(&part, fields);
        Some(Participant { key: key?, kind: role?, rest })
    }

    /// `callAttributes`: an object, or a string that holds one; becomes a string.
    pub fn call_attributes(&mut self) -> Option<String> {
        let text = match self.fields.take("callAttributes")? {
            Value::String(text) => text,
            value @ Value::Object(_) => value.to_string(),
            other => {
                self.fields.problem(
                    "callAttributes",
                    format_args!("expected an object or a text that holds one, got {}", kind(&other)),
                );
                return None;
            }
        };
        let ObjectDepth(depth) = match serde_json::from_str(&text) {
            Ok(depth) => depth,
            Err(error) => {
                let column = error.column();
                let problem = format_args!("the text is no JSON object (column {column})");
                self.fields.problem("callAttributes", problem);
                return None;
            }
        };
        if text.len() > ATTRIBUTES_LIMIT {
            self.fields.problem("callAttributes", "longer than 16 KiB");
            return None;
        }
        if depth > ATTRIBUTES_DEPTH {
            self.fields.problem("callAttributes", "nested deeper than 8 levels");
            return None;
        }
        Some(text)
    }

    /// `disconnectReason`: both keys, or none of it.
    pub fn disconnect_reason(&mut self) -> Option<DisconnectReason> {
        let reason = self.fields.object("disconnectReason")?;
        let mut fields = self.fields.part(reason);
        let value = fields.required("value", BodyFields::text);
        let is_error = fields.required("isError", BodyFields::boolean);
        self.fields.absorb("disconnectReason", fields);
        Some(DisconnectReason { value: value?, is_error: is_error? })
    }
}

fn picked(fields: &BodyFields, center: &CallCenter) -> PickedValues {
    match center.attributes.as_slice() {
        [] => PickedValues::default(),
        attributes => PickedValues::by_request(fields.each(), attributes, center.attribute_length),
    }
}

fn translate(
    fields: &mut BodyFields,
    name: &str,
    text: &str,
    rules: Option<&Translation>,
) -> Option<PhoneNumber> {
    // A request without a contact center is refused; its numbers are still checked, to report every problem.
    let translated = match rules {
        Some(rules) => rules.translate(text),
        None => Translation::default().translate(text),
    };
    translated.map(PhoneNumber::new).map_err(|problem| fields.problem(name, problem)).ok()
}

/// How many levels of lists and objects there are in JSON, of which nothing else is kept.
struct Depth(usize);

/// The same of an object.
struct ObjectDepth(usize);

struct DepthVisitor;

impl<'de> Deserialize<'de> for Depth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DepthVisitor)
    }
}

impl<'de> Deserialize<'de> for ObjectDepth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DepthVisitor).map(|Depth(depth)| Self(depth))
    }
}

impl<'de> Visitor<'de> for DepthVisitor {
    type Value = Depth;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Depth, A::Error> {
        let mut deepest = 0;
        while let Some((IgnoredAny, Depth(depth))) = map.next_entry()? {
            deepest = deepest.max(depth);
        }
        Ok(Depth(deepest + 1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Depth, A::Error> {
        let mut deepest = 0;
        while let Some(Depth(depth)) = list.next_element()? {
            deepest = deepest.max(depth);
        }
        Ok(Depth(deepest + 1))
    }

    fn visit_str<E>(self, _: &str) -> Result<Depth, E> {
        Ok(Depth(0))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Depth, E> {
        Ok(Depth(0))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Depth, E> {
        Ok(Depth(0))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Depth, E> {
        Ok(Depth(0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Depth, E> {
        Ok(Depth(0))
    }

    fn visit_unit<E>(self) -> Result<Depth, E> {
        Ok(Depth(0))
    }
}
