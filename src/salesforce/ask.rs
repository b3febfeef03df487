//! The four things that can be asked of Salesforce, whichever way.

use super::Operation;
use crate::domain::{ClearRouting, CreateVoiceCall, ExecuteOmniFlow, Origin, UpdateVoiceCall};

/// A request before it is spelled for one of the ways.
#[derive(Debug, Clone, Copy)]
pub enum Ask<'a> {
    /// createVoiceCall.
    Create(&'a CreateVoiceCall),
    /// updateVoiceCall.
    Update(&'a UpdateVoiceCall),
    /// executeOmniFlow.
    OmniFlow(&'a ExecuteOmniFlow),
    /// clearRouting.
    ClearRouting(&'a ClearRouting),
}

impl Ask<'_> {
    /// What kind of request it is.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::Create,
            Self::Update(_) => Operation::Update,
            Self::OmniFlow(_) => Operation::OmniFlow,
            Self::ClearRouting(_) => Operation::ClearRouting,
        }
    }

    /// Who asks.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Create(request) => &request.origin,
            Self::Update(request) => &request.origin,
            Self::OmniFlow(request) => &request.origin,
            Self::ClearRouting(request) => &request.origin,
        }
    }
}
