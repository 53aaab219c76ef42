//! What an account gives to others and takes from them.
//!
//! A stream is read: who subscribes in the importing account gets what is published in the exporting one. A service is asked: what is
//! published in the importing account is delivered in the exporting one, and the answer comes back. Nothing is shared that the
//! exporting account does not export and the importing one does not import.

use nats_subject::{Mapping, intersect, is_subset, is_valid_subscription};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// How long a service may take to answer when its export does not say.
const THRESHOLD: Duration = Duration::from_secs(120);

/// An account beside the global one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSettings {
    /// Name.
    pub name: Rc<str>,
    /// Its exports and imports.
    pub sharing: Rc<Sharing>,
}

impl AccountSettings {
    /// An account that shares nothing.
    #[must_use]
    pub fn alone(name: &str) -> Self {
        Self { name: name.into(), sharing: Rc::default() }
    }
}

/// What an account gives and takes. One value may serve all accounts made from one template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// What others may import.
    pub exports: Vec<Export>,
    /// What it takes from others.
    pub imports: Vec<Import>,
}

/// What an account lets others import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// A pattern of subjects of the exporting account.
    pub subject: Box<[u8]>,
    /// What may be done with them.
    pub kind: ExportKind,
    /// Names of those who may import it; empty: everybody.
    pub accounts: Vec<Rc<str>>,
    /// The token, counted from one, that must be the importing account's name.
    pub account_token: Option<usize>,
}

/// What may be done with exported subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// Subscribing.
    Stream,
    /// Requests.
    Service {
        /// How many messages answer one request.
        responses: ResponseType,
        /// How long an answer may take; for more than one, how long each may take after the one before.
        threshold: Duration,
    },
}

impl ExportKind {
    /// A service as it is when nothing more is said: one answer within two minutes.
    #[must_use]
    pub fn service() -> Self {
        Self::Service { responses: ResponseType::Singleton, threshold: THRESHOLD }
    }
}

/// How many messages answer one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseType {
    /// One.
    Singleton,
    /// Any number, up to an empty one without headers.
    Stream,
    /// The parts of one, up to an empty one without headers.
    Chunked,
}

impl ResponseType {
    /// The name in monitoring.
    #[cfg(feature = "monitoring")]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Singleton => "Singleton",
            Self::Stream => "Streamed",
            Self::Chunked => "Chunked",
        }
    }
}

/// What an account takes from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Name of the exporting account.
    pub account: Rc<str>,
    /// The subjects there: a pattern.
    pub(crate) remote: Box<[u8]>,
    /// The subjects here.
    pub(crate) local: Box<[u8]>,
    /// From here to there.
    pub(crate) outward: Mapping,
    /// What is done with them.
    pub(crate) kind: ImportKind,
}

/// What is done with imported subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ImportKind {
    Stream {
        /// From there to here; `None` when the subjects are the same.
        inward: Option<Mapping>,
    },
    Service {
        /// Whether the exporting account is told more about who asks than the account.
        share: bool,
    },
}

/// Why there is no such import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// A subject is not valid.
    Subject(String),
    /// The subjects of the two accounts do not fit together.
    Mapping(nats_subject::MappingError),
    /// The exporting account does not export it, or not to this one.
    NotAuthorized,
    /// The same is imported already.
    Exists,
    /// The exporting account would get it from this one.
    Cycle,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(subject) => write!(f, "{subject:?} is not a valid subject"),
            Self::Mapping(error) => write!(f, "subjects do not fit together: {error}"),
            Self::NotAuthorized => f.write_str("import not authorized"),
            Self::Exists => f.write_str("import already exists"),
            Self::Cycle => f.write_str("import forms a cycle"),
        }
    }
}

impl std::error::Error for ImportError {}

impl Import {
    /// Subscriptions to `local` (`subject` when absent) also get what is published to `subject` in `account`. `$1` in `local` is what
    /// the first `*` of `subject` stands for.
    ///
    /// # Errors
    /// See [`ImportError`].
    pub fn stream(account: &str, subject: &str, local: Option<&str>) -> Result<Self, ImportError> {
        let inward = Mapping::new(valid(subject)?, valid(local.unwrap_or(subject))?).map_err(ImportError::Mapping)?;
        let outward = inward.reverse().map_err(ImportError::Mapping)?;
        let inward = (!inward.is_identity()).then_some(inward);
        Self::new(account, outward, ImportKind::Stream { inward })
    }

    /// What is published to `local` (`subject` when absent) is also delivered in `account`, to `subject`. `$1` in either of them is
    /// what the first `*` of the other one stands for. `share`: tell the exporting account in detail who asks.
    ///
    /// # Errors
    /// See [`ImportError`].
    pub fn service(account: &str, subject: &str, local: Option<&str>, share: bool) -> Result<Self, ImportError> {
        let (remote, local) = (valid(subject)?, valid(local.unwrap_or(subject))?);
        let outward = match Mapping::new(remote, local) {
            Ok(inward) if *inward.destination() != *local => inward.reverse(),
            Ok(_) | Err(_) => Mapping::new(local, remote),
        };
        Self::new(account, outward.map_err(ImportError::Mapping)?, ImportKind::Service { share })
    }

    fn new(account: &str, outward: Mapping, kind: ImportKind) -> Result<Self, ImportError> {
        let (local, remote) = (outward.source().into(), outward.destination().into());
        Ok(Self { account: account.into(), remote, local, outward, kind })
    }

    /// True for a service.
    #[must_use]
    pub fn is_service(&self) -> bool {
        matches!(self.kind, ImportKind::Service { .. })
    }

    /// The subjects of the exporting account, as a pattern.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.remote
    }
}

fn valid(subject: &str) -> Result<&[u8], ImportError> {
    let good = is_valid_subscription(subject.as_bytes());
    if good { Ok(subject.as_bytes()) } else { Err(ImportError::Subject(subject.to_owned())) }
}

impl Sharing {
    /// The export that lets `importer` have `import`.
    pub(crate) fn export_for(&self, importer: &str, import: &Import) -> Option<&Export> {
        self.exports.iter().find(|export| {
            matches!(export.kind, ExportKind::Service { .. }) == import.is_service()
                && is_subset(&import.remote, &export.subject)
                && export.is_for(importer, &import.remote)
        })
    }
}

impl Export {
    fn is_for(&self, importer: &str, subject: &[u8]) -> bool {
        let token = |place: usize| subject.split(|&byte| byte == b'.').nth(place.checked_sub(1)?);
        let named = |place| token(place) == Some(importer.as_bytes());
        (self.accounts.is_empty() || self.accounts.iter().any(|account| **account == *importer))
            && self.account_token.is_none_or(named)
    }
}

/// Checks the imports of the account in `place`.
///
/// # Errors
/// The number of the first import that cannot be, and why.
pub fn check_imports(accounts: &[AccountSettings], place: usize) -> Result<(), (usize, ImportError)> {
    let Some(importer) = accounts.get(place) else { return Ok(()) };
    for (number, import) in importer.sharing.imports.iter().enumerate() {
        let before = importer.sharing.imports.iter().take(number);
        let exporter = accounts.iter().find(|account| account.name == import.account);
        let exported = exporter.and_then(|exporter| exporter.sharing.export_for(&importer.name, import));
        if exported.is_none() {
            return Err((number, ImportError::NotAuthorized));
        }
        if before.clone().any(|known| known.repeats(import)) {
            return Err((number, ImportError::Exists));
        }
        if leads_to(accounts, import, &importer.name, &mut Vec::new()) {
            return Err((number, ImportError::Cycle));
        }
    }
    Ok(())
}

/// Accounts that one message may pass through.
pub(crate) const DEPTH_MAX: usize = 16;

/// Whether what `import` brings comes from the account `to`, perhaps through others. `seen`: imports that do not lead there.
fn leads_to<'a>(accounts: &'a [AccountSettings], import: &Import, to: &str, seen: &mut Vec<&'a Import>) -> bool {
    let Some(account) = accounts.iter().find(|account| account.name == import.account) else { return false };
    let mut shared = Vec::new();
    account.sharing.imports.iter().any(|next| {
        if next.is_service() != import.is_service()
            || next.account == account.name
            || seen.iter().any(|known| std::ptr::eq(*known, next))
            || !intersect(&next.local, &import.remote, &mut shared)
        {
            return false;
        }
        seen.push(next);
        *next.account == *to || leads_to(accounts, next, to, seen)
    })
}

impl Import {
    /// Whether both would bring the same.
    fn repeats(&self, other: &Self) -> bool {
        let alike = self.is_service() == other.is_service();
        match self.kind {
            ImportKind::Stream { .. } => alike && self.account == other.account && self.remote == other.remote,
            ImportKind::Service { .. } => alike && self.local == other.local,
        }
    }

    /// The pattern to subscribe to in the exporting account for a subscription to `pattern` here; `None` when they share nothing.
    pub(crate) fn remote_of(&self, pattern: &[u8]) -> Option<Vec<u8>> {
        let (mut shared, mut remote) = (Vec::new(), Vec::new());
        if !intersect(pattern, &self.local, &mut shared) {
            return None;
        }
        self.outward.apply(&shared, &mut remote);
        Some(remote)
    }
}
