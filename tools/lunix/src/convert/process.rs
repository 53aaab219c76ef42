//! What the process is: user, capabilities, limits, control group.

use super::draft::Draft;
use super::measure::{bytes, microseconds};
use super::unit::Entry;
use std::collections::BTreeSet;
use sys::capability::{NAMES, number_of};

/// Writes `user`, `group`, `capabilities`, `limits` and `cgroup/`. `is_privileged`: the program changes its user itself.
pub(crate) fn convert(draft: &mut Draft<'_>, is_privileged: bool) {
    who(draft, is_privileged);
    capabilities(draft);
    limits(draft);
    cgroup(draft);
}

fn who(draft: &mut Draft<'_>, is_privileged: bool) {
    let group = draft.last("Group").and_then(|entry| draft.plain(entry, &entry.value));
    let mut user = draft.last("User").and_then(|entry| draft.plain(entry, &entry.value));
    if let Some(entry) = draft.last("DynamicUser").filter(|_| draft.unit.is_on("Service", "DynamicUser")) {
        let name = user.get_or_insert_with(|| draft.unit.name.prefix.clone()).clone();
        draft.lost(entry, format!("no users are made: make one named {name}"));
    }
    let mut supplementary = Vec::new();
    for (entry, word) in draft.unit.words("Service", "SupplementaryGroups") {
        supplementary.extend(draft.plain(entry, &word));
    }
    draft.owner = match (&user, &group) {
        (None, None) => None,
        (user, group) => {
            Some(format!("{}:{}", user.as_deref().unwrap_or_default(), group.as_deref().unwrap_or_default()))
        }
    };
    if is_privileged {
        if let Some(entry) = draft.last("User") {
            draft.note(entry, "a prefix of ExecStart= has it executed as root; the program changes its user itself");
        }
        return;
    }
    draft.user = user.filter(|name| name != "root" && name != "0");
    let name = draft.user.clone().unwrap_or_else(|| "root".to_owned());
    match &group {
        Some(group) => draft.tree.small("user", &format!("{name}:{group}")),
        None if draft.user.is_some() => draft.tree.small("user", &name),
        None => {}
    }
    if let Some(entry) = draft.last("SupplementaryGroups").filter(|_| !supplementary.is_empty()) {
        supplementary.insert(0, group.clone().unwrap_or(name));
        draft.tree.small("group", &supplementary.join("\n"));
        draft.note(entry, "`group` stands instead of the groups that /etc/group gives the user");
    }
}

/// The set that a list of capabilities stands for; `~` at its beginning takes away.
fn set(draft: &mut Draft<'_>, key: &'static str) -> Option<BTreeSet<u32>> {
    let all: BTreeSet<u32> = (0..).take(NAMES.len()).collect();
    let mut set: Option<BTreeSet<u32>> = None;
    let unit = draft.unit;
    for entry in unit.all("Service", key) {
        let (takes_away, words) =
            entry.value.strip_prefix('~').map_or((false, entry.value.as_str()), |rest| (true, rest));
        let mut these = BTreeSet::new();
        for word in words.split_whitespace() {
            match number_of(word) {
                Some(number) => drop(these.insert(number)),
                None => draft.lost(entry, format!("{word} is no capability")),
            }
        }
        if these.is_empty() {
            set = Some(if takes_away { all.clone() } else { BTreeSet::new() });
        } else if takes_away {
            set.get_or_insert_with(|| all.clone()).retain(|number| !these.contains(number));
        } else {
            set.get_or_insert_default().extend(these);
        }
    }
    set
}

fn capabilities(draft: &mut Draft<'_>) {
    let bounding = set(draft, "CapabilityBoundingSet");
    let ambient = set(draft, "AmbientCapabilities").filter(|ambient| !ambient.is_empty());
    let is_closed = draft.unit.is_on("Service", "NoNewPrivileges");
    let allowed = |all: BTreeSet<u32>| -> BTreeSet<u32> {
        all.into_iter().filter(|one| bounding.as_ref().is_none_or(|set| set.contains(one))).collect()
    };
    let has = match (draft.user.is_some(), ambient, &bounding) {
        (false, _, Some(bounding)) => Some(bounding.clone()),
        (false, _, None) => None,
        (true, Some(ambient), _) => Some(allowed(ambient)),
        (true, None, Some(bounding)) if bounding.is_empty() || is_closed => Some(BTreeSet::new()),
        (true, None, None) if is_closed => Some(BTreeSet::new()),
        (true, None, Some(_)) => {
            if let Some(entry) = draft.last("CapabilityBoundingSet") {
                draft.note(entry, "the user has no capabilities; what set-uid programs get is not limited");
            }
            None
        }
        (true, None, None) => None,
    };
    if let Some(has) = has {
        let names: Vec<&str> = has.iter().filter_map(|&at| NAMES.get(usize::try_from(at).ok()?).copied()).collect();
        draft.tree.small("capabilities", &names.join("\n"));
    } else if let Some(entry) = draft.last("NoNewPrivileges").filter(|_| is_closed) {
        draft.lost(entry, "the service runs with root's capabilities: write the ones it needs into `capabilities`");
    }
}

fn limits(draft: &mut Draft<'_>) {
    let unit = draft.unit;
    let mut keys: Vec<&str> =
        unit.entries.iter().filter(|entry| &*entry.section == "Service").map(|entry| entry.key.as_str()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut lines = Vec::new();
    for key in keys {
        let Some(name) = key.strip_prefix("Limit") else { continue };
        let Some(entry) = draft.last(key) else { continue };
        let (soft, hard) = entry.value.split_once(':').unwrap_or((&entry.value, &entry.value));
        match (limit(name, soft), limit(name, hard)) {
            (Some(soft), Some(hard)) if soft == hard => lines.push(format!("{} {soft}", name.to_ascii_lowercase())),
            (Some(soft), Some(hard)) => lines.push(format!("{} {soft} {hard}", name.to_ascii_lowercase())),
            _ => draft.lost(entry, "expected a number, a size, or infinity"),
        }
    }
    if !lines.is_empty() {
        draft.tree.small("limits", &lines.join("\n"));
    }
}

/// A limit in the kernel's unit.
fn limit(name: &str, text: &str) -> Option<String> {
    match (name, text.trim()) {
        (_, "infinity") => Some("unlimited".to_owned()),
        ("CPU", text) => microseconds(text, 1_000_000)?.map(|micros| micros.div_ceil(1_000_000).to_string()),
        ("RTTIME", text) => microseconds(text, 1)?.map(|micros| micros.to_string()),
        // A nice level from -20 to 19 is a limit from 40 to 1.
        ("NICE", text) if text.starts_with(['+', '-']) => {
            text.parse::<i32>().ok().filter(|nice| (-20..20).contains(nice)).map(|nice| (20 - nice).to_string())
        }
        (_, text) => bytes(text).map(|number| number.to_string()),
    }
}

fn cgroup(draft: &mut Draft<'_>) {
    const MEMORY: [(&str, &str); 7] = [
        ("MemoryMin", "memory.min"),
        ("MemoryLow", "memory.low"),
        ("MemoryHigh", "memory.high"),
        ("MemoryLimit", "memory.max"),
        ("MemoryMax", "memory.max"),
        ("MemorySwapMax", "memory.swap.max"),
        ("MemoryZSwapMax", "memory.zswap.max"),
    ];
    for (key, file) in MEMORY {
        put(draft, key, file, |text| amount(text, bytes(text)));
    }
    put(draft, "TasksMax", "pids.max", |text| amount(text, text.parse().ok()));
    if draft.last("CPUWeight").is_some_and(|entry| entry.value == "idle") {
        draft.tree.small("cgroup/cpu.idle", "1");
    } else {
        put(draft, "CPUWeight", "cpu.weight", |text| weight(text).map(|weight| weight.to_string()));
    }
    put(draft, "IOWeight", "io.weight", |text| weight(text).map(|weight| weight.to_string()));
    if draft.last("OOMPolicy").is_some_and(|entry| entry.value == "kill") {
        draft.tree.small("cgroup/memory.oom.group", "1");
    }
    put(draft, "CPUQuota", "cpu.max", |text| {
        let percent: u64 = text.strip_suffix('%')?.trim().parse().ok().filter(|percent| *percent > 0)?;
        Some(format!("{} 100000", percent.checked_mul(1000)?))
    });
    let list = |text: &str| Some(text.split([' ', ',']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(","));
    put(draft, "AllowedCPUs", "cpuset.cpus", list);
    put(draft, "AllowedMemoryNodes", "cpuset.mems", list);
}

fn amount(text: &str, number: Option<u64>) -> Option<String> {
    if text == "infinity" { Some("max".to_owned()) } else { number.map(|number| number.to_string()) }
}

fn weight(text: &str) -> Option<u64> {
    text.parse().ok().filter(|weight| (1..=10_000).contains(weight))
}

fn put(draft: &mut Draft<'_>, key: &'static str, file: &str, convert: impl Fn(&str) -> Option<String>) {
    let Some(entry) = draft.last(key) else { return };
    match convert(entry.value.trim()) {
        Some(text) => draft.tree.small(&format!("cgroup/{file}"), &text),
        None => not_a_number(draft, entry, file),
    }
}

fn not_a_number(draft: &mut Draft<'_>, entry: &Entry, file: &str) {
    draft.lost(
        entry,
        format!("write a number into `cgroup/{file}`; the kernel knows neither words nor shares of the whole"),
    );
}
