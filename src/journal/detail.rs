//! Inputs that have no columns of their own, as one JSON text.
//!
//! Promises: what is read back equals what was written. A command stands in an object of its own, because a
//! correction may carry any key.

use crate::engine::{
    CarryOver, Command, FeedId, FeedSetup, FeedState, HealthItem, Input, OpenSession, Setup,
    Started,
};
use crate::observation::{DeviceAlert, Identity, PumpEvent};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An input that is neither a reading nor a sign of life, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub(super) enum Detail {
    Started {
        started: Box<Started>,
    },
    CarryOver {
        carry_over: Box<CarryOver>,
    },
    Open {
        session: i64,
        about: Box<OpenSession>,
        setup: Arc<Setup>,
    },
    Command {
        command: Box<Command>,
    },
    DeviceAlert {
        feed: FeedId,
        alert: DeviceAlert,
    },
    Pump {
        feed: FeedId,
        event: PumpEvent,
    },
    Identity {
        feed: FeedId,
        identity: Identity,
    },
    Feed {
        feed: FeedId,
        state: FeedState,
    },
    Health {
        what: HealthItem,
        ok: bool,
        detail: Option<Arc<str>>,
    },
    FeedDeclared {
        setup: Box<FeedSetup>,
    },
    Tick,
}

impl Detail {
    /// The JSON form of an input, or `None` for the two kinds that have columns.
    pub(super) fn of(input: &Input) -> Option<Self> {
        Some(match input {
            Input::Reading { .. } | Input::Alive { .. } => return None,
            Input::Started(started) => Self::Started {
                started: Box::new(started.clone()),
            },
            Input::CarryOver(carry_over) => Self::CarryOver {
                carry_over: carry_over.clone(),
            },
            Input::Open {
                session,
                about,
                setup,
            } => Self::Open {
                session: *session,
                about: about.clone(),
                setup: Arc::clone(setup),
            },
            Input::Command(command) => Self::Command {
                command: command.clone(),
            },
            Input::DeviceAlert { feed, alert } => Self::DeviceAlert {
                feed: *feed,
                alert: alert.clone(),
            },
            Input::Pump { feed, event } => Self::Pump {
                feed: *feed,
                event: event.clone(),
            },
            Input::Identity { feed, identity } => Self::Identity {
                feed: *feed,
                identity: identity.clone(),
            },
            Input::Feed { feed, state } => Self::Feed {
                feed: *feed,
                state: *state,
            },
            Input::Health { what, ok, detail } => Self::Health {
                what: *what,
                ok: *ok,
                detail: detail.clone(),
            },
            Input::FeedDeclared { setup } => Self::FeedDeclared {
                setup: setup.clone(),
            },
            Input::Tick => Self::Tick,
        })
    }

    /// The input that it stands for.
    pub(super) fn into_input(self) -> Input {
        match self {
            Self::Started { started } => Input::Started(*started),
            Self::CarryOver { carry_over } => Input::CarryOver(carry_over),
            Self::Open {
                session,
                about,
                setup,
            } => Input::Open {
                session,
                about,
                setup,
            },
            Self::Command { command } => Input::Command(command),
            Self::DeviceAlert { feed, alert } => Input::DeviceAlert { feed, alert },
            Self::Pump { feed, event } => Input::Pump { feed, event },
            Self::Identity { feed, identity } => Input::Identity { feed, identity },
            Self::Feed { feed, state } => Input::Feed { feed, state },
            Self::Health { what, ok, detail } => Input::Health { what, ok, detail },
            Self::FeedDeclared { setup } => Input::FeedDeclared { setup },
            Self::Tick => Input::Tick,
        }
    }
}
