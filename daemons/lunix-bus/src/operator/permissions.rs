//! The permissions of tokens as the broker checks them.

use crate::broker::{Clause, Permissions, Responses, Rule};
use nats_keys::Permission;
use std::time::Duration;

/// Reads permissions; `None` inside: nothing is permitted or forbidden. An error: one of the subjects is none.
pub(super) fn read(claims: &nats_keys::Permissions) -> Result<Option<Permissions>, ()> {
    let mut permissions = Permissions {
        publish: rule(&claims.publish, false)?,
        subscribe: rule(&claims.subscribe, true)?,
        responses: None,
    };
    if let Some(responses) = claims.responses {
        permissions.responses = Some(Responses {
            max: if responses.messages_max == 0 { Some(1) } else { u32::try_from(responses.messages_max).ok() },
            expires: match responses.expires_ns {
                0 => Some(Duration::from_secs(120)),
                ns => u64::try_from(ns).ok().map(Duration::from_nanos),
            },
        });
        // Who may answer may do nothing but that, if nothing else is said.
        permissions.publish.allow.get_or_insert_default();
    }
    Ok((permissions != Permissions::default()).then_some(permissions))
}

fn rule(claims: &Permission, queues: bool) -> Result<Rule, ()> {
    let clauses = |subjects: &[String]| {
        subjects.iter().map(|subject| Clause::parse(subject, queues).ok_or(())).collect::<Result<Vec<_>, ()>>()
    };
    let deny = clauses(&claims.deny)?;
    let allow = claims.allow.as_deref().filter(|allow| !allow.is_empty() || !deny.is_empty());
    Ok(Rule { allow: allow.map(clauses).transpose()?, deny })
}
