//! Any fstab, list of modules, sysctl.d, hostname and adjtime: no panic; what is read is in bounds, whatever the cuts; an order has every
//! entry once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lunix_boot::fields::{FIELD_MAX, FSTAB, Fields, Item};
use lunix_boot::mounts::{entry, order};
use lunix_boot::sysctl::{line, pattern};

fn items(parts: &[&[u8]]) -> Vec<Vec<u8>> {
    let (mut parser, mut all) = (Fields::new(FSTAB), Vec::new());
    for part in parts {
        let mut rest = *part;
        while !rest.is_empty() {
            let (taken, item) = parser.feed(rest);
            match item {
                Some(Item::Field(field)) => {
                    assert!(field.len() <= FIELD_MAX && !field.contains(&0));
                    all.push(field.to_vec());
                }
                Some(Item::End) => all.push(b"end".to_vec()),
                Some(Item::Fault(fault)) => all.push(format!("{fault:?}").into_bytes()),
                None => {}
            }
            rest = &rest[taken..];
        }
    }
    all
}

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, text) = input;
    let (head, tail) = text.split_at(usize::from(cut).min(text.len()));
    assert_eq!(items(&[text, b"\n"]), items(&[head, tail, b"\n"]));
    let (entries, _) = entry::table(text);
    let mut order = order::order(&entries);
    order.sort_unstable();
    assert!(order.iter().copied().eq(0..entries.len()));
    for one in line::read(text).into_iter().flatten() {
        if let Some(path) = pattern::path(&one.key) {
            assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")));
        }
    }
    drop((lunix_boot::load::list("m", text), lunix_boot::hostname::name(text), lunix_boot::hwclock::zone(text)));
});
