//! The four things that can be asked of Salesforce, whichever way.

use super::{Operation, RestoredRequest};
use crate::domain::{CallReference, CreateVoiceCall, ExecuteOmniFlow, Origin, UpdateVoiceCall};

/// A request before it is spelled for one of the ways.
#[derive(Debug, Clone, Copy)]
pub enum SalesforceRequest<'a> {
    /// createVoiceCall.
    Create(&'a CreateVoiceCall),
    /// updateVoiceCall.
    Update(&'a CallReference, &'a UpdateVoiceCall),
    /// executeOmniFlow.
    OmniFlow(&'a ExecuteOmniFlow),
    /// clearRouting.
    ClearRouting(&'a CallReference, &'a Origin),
    /// Any of them, kept for later.
    Restored(&'a RestoredRequest),
}

impl SalesforceRequest<'_> {
    /// What kind of request it is.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::Create,
            Self::Update(..) => Operation::Update,
            Self::OmniFlow(_) => Operation::OmniFlow,
            Self::ClearRouting(..) => Operation::ClearRouting,
            Self::Restored(kept) => kept.operation,
        }
    }

    /// Who asks.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Create(request) => &request.origin,
            Self::Update(_, request) => &request.origin,
            Self::OmniFlow(request) => &request.origin,
            Self::ClearRouting(_, origin) => origin,
            Self::Restored(kept) => &kept.origin,
        }
    }

    /// Which call; `None` for a create.
    #[must_use]
    pub fn call(&self) -> Option<&CallReference> {
        match self {
            Self::Create(_) => None,
            Self::Update(call, _) | Self::ClearRouting(call, _) => Some(call),
            Self::OmniFlow(request) => Some(&request.call),
            Self::Restored(kept) => kept.call.as_ref(),
        }
    }
}
