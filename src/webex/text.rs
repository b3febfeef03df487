//! Values that are written as this or as that.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A text, also where it is written as a number; nothing where it is null, empty or something else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LooseText(pub(super) Option<String>);

impl LooseText {
    /// At most `longest` characters of it.
    pub(super) fn within(self, longest: usize) -> Option<String> {
        self.0.map(|text| crate::domain::cut(text, longest))
    }
}

impl<'de> Deserialize<'de> for LooseText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseTextVisitor)
    }
}

struct LooseTextVisitor;

impl<'de> Visitor<'de> for LooseTextVisitor {
    type Value = LooseText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<LooseText, E> {
        let text = text.trim();
        Ok(LooseText((!text.is_empty()).then(|| text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<LooseText, E> {
        Ok(LooseText(Some(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<LooseText, E> {
        Ok(LooseText(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<LooseText, E> {
        Ok(LooseText(Some(number.to_string())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<LooseText, E> {
        Ok(LooseText(None))
    }

    fn visit_unit<E>(self) -> Result<LooseText, E> {
        Ok(LooseText(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LooseText, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LooseText(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LooseText, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(LooseText(None))
    }
}
