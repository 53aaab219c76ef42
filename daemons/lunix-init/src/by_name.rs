//! Services by their names, for the time of one pass over all of them.

use crate::supervisor::Supervisor;

/// The numbers of all services in the order of their names: four bytes each, no copies of the names.
pub(crate) struct ByName {
    order: Vec<u32>,
    taken: Vec<bool>,
}

impl ByName {
    pub(crate) fn of(supervisor: &Supervisor) -> Self {
        let mut order: Vec<u32> = supervisor.iter().filter_map(|(id, _)| u32::try_from(id).ok()).collect();
        order.sort_by_key(|&id| name_of(supervisor, id));
        let taken = vec![false; order.len()];
        Self { order, taken }
    }

    /// The number of the service of this name.
    pub(crate) fn find(&self, supervisor: &Supervisor, name: &str) -> Option<usize> {
        let place = self.place(supervisor, name)?;
        self.order.get(place).and_then(|&id| usize::try_from(id).ok())
    }

    /// The same, once for each service.
    pub(crate) fn take(&mut self, supervisor: &Supervisor, name: &str) -> Option<usize> {
        let place = self.place(supervisor, name)?;
        let taken = self.taken.get_mut(place)?;
        if std::mem::replace(taken, true) {
            return None;
        }
        self.order.get(place).and_then(|&id| usize::try_from(id).ok())
    }

    /// The numbers of those that were not taken.
    pub(crate) fn left(self) -> impl Iterator<Item = usize> {
        let left = self.order.into_iter().zip(self.taken).filter(|&(_, taken)| !taken);
        left.filter_map(|(id, _)| usize::try_from(id).ok())
    }

    fn place(&self, supervisor: &Supervisor, name: &str) -> Option<usize> {
        self.order.binary_search_by_key(&name, |&id| name_of(supervisor, id)).ok()
    }
}

fn name_of(supervisor: &Supervisor, id: u32) -> &str {
    usize::try_from(id).ok().and_then(|id| supervisor.get(id)).map_or("", |service| &service.name)
}
