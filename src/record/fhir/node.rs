//! JSON with its keys in the order in which they are written and numbers with exactly their digits.

use crate::vocabulary::Decimal;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// A text.
    Text(String),
    /// A number with its digits.
    Number(Decimal),
    /// A list.
    List(Vec<Node>),
    /// An object.
    Object(Vec<(&'static str, Node)>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::List(list) => serializer.collect_seq(list),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<&str> for Node {
    /// FHIR's texts have no control characters but tab and line ends, and are never empty.
    fn from(text: &str) -> Self {
        let told: String = text
            .chars()
            .map(|letter| match letter {
                '\t' | '\r' | '\n' => letter,
                control if control.is_control() => '\u{fffd}',
                other => other,
            })
            .collect();
        Self::Text(if told.trim().is_empty() {
            "–".to_owned()
        } else {
            told
        })
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Decimal> for Node {
    fn from(number: Decimal) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<Node>> for Node {
    fn from(list: Vec<Node>) -> Self {
        Self::List(list)
    }
}

/// An object with these fields, in this order.
pub(super) fn object<const N: usize>(fields: [(&'static str, Node); N]) -> Node {
    Node::Object(fields.into())
}

impl Node {
    /// The object with one more field at its end.
    pub(super) fn with(mut self, key: &'static str, value: impl Into<Node>) -> Self {
        if let Self::Object(fields) = &mut self {
            fields.push((key, value.into()));
        }
        self
    }

    /// The same, if there is a value.
    pub(super) fn with_some(self, key: &'static str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}
