//! By which way a contact leaves an activity.

use std::fmt;

/// An exit of an activity: what an edge begins at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Exit {
    /// The usual way on of most activities; the way of a Case that no case fits.
    Default,
    /// The usual way on of a start, of Set Variable and a few others.
    Out,
    /// A condition is fulfilled.
    True,
    /// It is not.
    False,
    /// An error of the activity ("Undefined Error").
    Error,
    /// A queue, a transfer or a callback failed.
    Failure,
    /// Nothing was entered in time.
    Timeout,
    /// What was entered does not fit.
    Invalid,
    /// The exit of a case, a digit, an allocation or a schedule.
    Branch(String),
}

impl Exit {
    /// The exit of a condition in an export.
    pub fn from_condition(condition: &str) -> Self {
        match condition {
            "default" => Self::Default,
            "out" => Self::Out,
            "true" => Self::True,
            "false" => Self::False,
            "error" => Self::Error,
            "failure" => Self::Failure,
            "timeout" => Self::Timeout,
            "invalid" => Self::Invalid,
            other => Self::Branch(other.to_owned()),
        }
    }

    /// As it is written in an export.
    pub fn condition(&self) -> &str {
        match self {
            Self::Default => "default",
            Self::Out => "out",
            Self::True => "true",
            Self::False => "false",
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Timeout => "timeout",
            Self::Invalid => "invalid",
            Self::Branch(value) => value,
        }
    }

    /// Whether something went wrong on this way.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Error | Self::Failure | Self::Timeout | Self::Invalid)
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.condition())
    }
}
