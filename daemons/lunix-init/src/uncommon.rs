//! What few services have: memory is taken for it only while it differs from nothing.

/// A value that is mostly the default one.
#[derive(Debug)]
pub(crate) struct Uncommon<T>(Option<Box<T>>);

/// What services said of themselves, or are doing besides.
pub(crate) type Said = Uncommon<Words>;
/// What is wrong with services.
pub(crate) type Troubles = Uncommon<Faults>;

/// What a service said of itself by sd_notify, and its reload under way.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Words {
    /// What it said last of itself.
    pub(crate) status: Option<Box<str>>,
    /// The process that it says takes the place of its first.
    pub(crate) heir: Option<i32>,
    /// It said that it has begun to reload.
    pub(crate) reloads: bool,
    /// The process of its program `reload`.
    pub(crate) reloader: Option<i32>,
    /// It is to reload once more when that has ended.
    pub(crate) reload_again: bool,
}

/// What is wrong with a service, or was.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// What was wrong with its directory when it was read first, or has been ever since.
    pub(crate) unreadable: Option<String>,
    /// Why it cannot run, by the directory as it is now.
    pub(crate) fault: Option<String>,
    /// The last fault told of.
    pub(crate) told: Option<String>,
    /// The fingerprint of a change that could not be read.
    pub(crate) refused: Option<u64>,
}

impl<T> Default for Uncommon<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Default + PartialEq> Uncommon<T> {
    /// The value, when it is not the default one.
    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    /// Changes it; what is the default again takes no memory.
    pub(crate) fn set<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> R {
        let mut value = self.0.take().unwrap_or_default();
        let result = change(&mut value);
        if *value != T::default() {
            self.0 = Some(value);
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_taken_only_for_what_is_uncommon() {
        let mut said = Said::default();
        said.set(|words| words.heir = Some(7));
        assert_eq!(said.get().and_then(|words| words.heir), Some(7));
        assert_eq!(said.set(|words| words.heir.take()), Some(7));
        assert!(said.get().is_none());
    }
}
