//! Module names: the kernel writes `_` where file names may have `-`.

/// A name or alias with `_` for every `-` outside of brackets.
pub(crate) fn normalised(name: &str) -> String {
    let mut bracket = false;
    name.chars()
        .map(|letter| {
            match letter {
                '[' => bracket = true,
                ']' => bracket = false,
                '-' if !bracket => return '_',
                _ => {}
            }
            letter
        })
        .collect()
}

/// The module's name of a path in modules.dep: `kernel/a/usb-storage.ko.xz` is `usb_storage`.
pub(crate) fn of_path(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    normalised(file.split(".ko").next().unwrap_or(file))
}
