//! What accounts give each other by their tokens.

use super::{AccountFacts, Trust};
use crate::broker::{AccountSettings, Export, ExportKind, Import, ResponseType, Sharing, check_imports};
use nats_keys::{Activation, Claims, Kind, decode, is_revoked};
use nats_subject::{is_subset, is_valid_subscription};
use std::rc::Rc;
use std::time::Duration;

impl Trust {
    /// The accounts with what they share at second `now`, and the next second at which that changes because a token expires. Imports
    /// that are not exported, repeat each other or go round in a circle are left out, as are accounts that nobody can belong to.
    #[must_use]
    pub fn share(&self, now: i64) -> (Vec<AccountSettings>, Option<i64>) {
        let usable: Vec<_> =
            self.accounts.values().filter(|account| self.trusted(&account.name, now).is_ok()).collect();
        let mut ends = Vec::new();
        let mut settings: Vec<_> = usable
            .iter()
            .map(|account| {
                let exports = account
                    .claims
                    .body
                    .exports
                    .iter()
                    .filter_map(|export| export_of(account, export, &usable, now, &mut ends));
                let exports = exports.collect();
                let imports = account.claims.body.imports.iter().filter_map(import_of).collect();
                AccountSettings { name: Rc::clone(&account.name), sharing: Rc::new(Sharing { exports, imports }) }
            })
            .collect();
        for place in 0..settings.len() {
            drop_impossible(&mut settings, place);
        }
        ends.extend(usable.iter().map(|account| account.claims.expires));
        (settings, ends.into_iter().filter(|&end| end > now).min())
    }
}

fn drop_impossible(settings: &mut [AccountSettings], place: usize) {
    while let Err((number, _)) = check_imports(settings, place) {
        let Some(account) = settings.get_mut(place) else { return };
        let mut sharing = Sharing::clone(&account.sharing);
        if number >= sharing.imports.len() {
            return;
        }
        sharing.imports.remove(number);
        account.sharing = Rc::new(sharing);
    }
}

fn export_of(
    account: &AccountFacts,
    export: &nats_keys::Export,
    all: &[&Rc<AccountFacts>],
    now: i64,
    ends: &mut Vec<i64>,
) -> Option<Export> {
    if !is_valid_subscription(export.subject.as_bytes()) {
        return None;
    }
    let kind = match export.kind {
        Kind::Stream => ExportKind::Stream,
        Kind::Service => ExportKind::Service {
            responses: match export.response_type {
                nats_keys::ResponseType::Singleton => ResponseType::Singleton,
                nats_keys::ResponseType::Stream => ResponseType::Stream,
                nats_keys::ResponseType::Chunked => ResponseType::Chunked,
            },
            threshold: match u64::try_from(export.response_threshold_ns) {
                Ok(ns) if ns > 0 => Duration::from_nanos(ns),
                Ok(_) | Err(_) => Duration::from_secs(120),
            },
        },
    };
    let mut accounts = Vec::new();
    if export.token_required {
        // Nobody but itself, and who shows a token.
        accounts.push(Rc::clone(&account.name));
        for importer in all {
            if let Some(end) = activation(account, export, importer, now) {
                accounts.push(Rc::clone(&importer.name));
                ends.push(end);
            }
        }
    }
    let account_token = usize::try_from(export.account_token_position).ok().filter(|&place| place > 0);
    Some(Export { subject: export.subject.as_bytes().into(), kind, accounts, account_token })
}

/// The second up to which a token lets `importer` have `export`, 0 for ever; `None` when none does.
fn activation(account: &AccountFacts, export: &nats_keys::Export, importer: &AccountFacts, now: i64) -> Option<i64> {
    let imports = importer.claims.body.imports.iter();
    let shown = imports.filter(|import| *import.account == *account.name && import.kind == export.kind);
    shown.filter(|import| !import.token.is_empty()).find_map(|import| {
        let claims: Claims<Activation> = decode(&import.token).ok()?;
        let signer = if claims.body.issuer_account.is_empty() { &claims.issuer } else { &claims.body.issuer_account };
        let by_account =
            *signer == *account.name && (claims.issuer == *signer || account.signing_key(&claims.issuer).is_some());
        let good = by_account
            && *claims.subject == *importer.name
            && claims.body.kind == export.kind
            && is_subset(remote_subject(import).as_bytes(), claims.body.import_subject.as_bytes())
            && is_subset(remote_subject(import).as_bytes(), export.subject.as_bytes())
            && !claims.is_expired(now)
            && !claims.is_early(now)
            && !is_revoked(&export.revocations, &claims.subject, claims.issued_at);
        good.then_some(claims.expires)
    })
}

/// The subject at the exporter's, as a pattern.
fn remote_subject(import: &nats_keys::Import) -> String {
    let older_service = import.kind == Kind::Service && import.local_subject.is_empty() && !import.to.is_empty();
    let subject = if older_service { &import.to } else { &import.subject };
    let wild = |token| if is_reference(token) { "*" } else { token };
    subject.split('.').map(wild).collect::<Vec<_>>().join(".")
}

/// `$1` and the like, which stand for a wildcard of the other side.
fn is_reference(token: &str) -> bool {
    token.strip_prefix('$').is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn import_of(import: &nats_keys::Import) -> Option<Import> {
    let (account, subject) = (import.account.as_str(), import.subject.as_str());
    let local = Some(import.local_subject.as_str()).filter(|local| !local.is_empty());
    let to = Some(import.to.as_str()).filter(|to| !to.is_empty());
    let made = match (import.kind, local, to) {
        (Kind::Stream, Some(local), _) => Import::stream(account, subject, Some(local)),
        (Kind::Stream, None, Some(prefix)) => Import::stream(account, subject, Some(&format!("{prefix}.{subject}"))),
        (Kind::Stream, None, None) => Import::stream(account, subject, None),
        (Kind::Service, Some(local), _) => Import::service(account, subject, Some(local), import.share),
        // In the older form `subject` is that of the importer.
        (Kind::Service, None, to) => Import::service(account, to.unwrap_or(subject), Some(subject), import.share),
    };
    made.ok()
}
