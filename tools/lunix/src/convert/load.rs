//! Finding units and their drop-ins.

use super::name::Name;
use super::unit::{Remark, Unit};
use program::{Fatal, exit};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where units are, most important first (`man 5 systemd.unit`).
const FOLDERS: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];
/// Most bytes of a file.
const FILE_MAX: u64 = 4 * 1024 * 1024;

/// Loads the unit of that name, or in that file when there is a slash in it.
///
/// # Errors
/// When there is no such unit, or it cannot be read.
pub(crate) fn load(word: &str, root: &Path, remarks: &mut Vec<Remark>) -> Result<Unit, Fatal> {
    let usual = || FOLDERS.iter().map(|folder| root.join(folder));
    let (name, folders): (Name, Vec<PathBuf>) = match word.rsplit_once('/') {
        Some((folder, file)) => (Name::parse(file), vec![if folder.is_empty() { "/".into() } else { folder.into() }]),
        None => (Name::parse(word), usual().collect()),
    };
    let names = [Some(name.full()), name.template().map(|template| template.full())];
    let file = names
        .iter()
        .flatten()
        .find_map(|file| folders.iter().map(|folder| folder.join(file)).find(|path| path.exists()));
    let file = file.ok_or_else(|| Fatal::new(exit::DATA, format!("{word}: there is no such unit")))?;
    if std::fs::canonicalize(&file).is_ok_and(|target| target == Path::new("/dev/null")) {
        return Err(Fatal::new(exit::DATA, format!("{}: it is masked", file.display())));
    }
    let mut unit = Unit::new(name, &file.display().to_string());
    read(&mut unit, &file, remarks)?;
    for path in drop_ins(&unit.name, &folders) {
        read(&mut unit, &path, remarks)?;
    }
    Ok(unit)
}

fn read(unit: &mut Unit, path: &Path, remarks: &mut Vec<Remark>) -> Result<(), Fatal> {
    let too_large = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > FILE_MAX);
    if too_large {
        return Err(Fatal::new(exit::DATA, format!("{}: it is larger than 4 MiB", path.display())));
    }
    let content = std::fs::read(path)
        .map_err(|error| Fatal::new(exit::DATA, format!("cannot read {}: {error}", path.display())))?;
    unit.read(&path.display().to_string(), &content, remarks);
    Ok(())
}

/// The drop-ins in the order they count: by their names, of equal names the one of the most special folder alone.
fn drop_ins(name: &Name, folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut found: BTreeMap<std::ffi::OsString, PathBuf> = BTreeMap::new();
    for special in special_names(name) {
        for folder in folders {
            let Ok(entries) = std::fs::read_dir(folder.join(format!("{special}.d"))) else { continue };
            for path in entries.flatten().map(|entry| entry.path()) {
                let is_drop_in = path.extension().is_some_and(|extension| extension == "conf") && path.is_file();
                if let Some(file) = path.file_name().filter(|_| is_drop_in) {
                    found.entry(file.to_owned()).or_insert(path);
                }
            }
        }
    }
    found.into_values().collect()
}

/// The names a drop-in may be for, the most special first: the unit, its template, each part before a dash, the kind.
fn special_names(name: &Name) -> Vec<String> {
    let mut names = vec![name.full()];
    names.extend(name.template().map(|template| template.full()));
    let mut prefix = name.prefix.as_str();
    while let Some((shorter, _)) = prefix.trim_end_matches('-').rsplit_once('-') {
        names.push(format!("{shorter}-.{}", name.suffix));
        prefix = shorter;
    }
    names.push(name.suffix.clone());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_ins_are_looked_for_from_special_to_general() {
        let names = special_names(&Name::parse("a-b-c@x.service"));
        assert_eq!(names, ["a-b-c@x.service", "a-b-c@.service", "a-b-.service", "a-.service", "service"]);
    }

    #[test]
    fn drop_ins_count_by_name_and_place() {
        let root = testkit::TempDir::new("units").unwrap();
        let put = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("usr/lib/systemd/system/web@.service", "[Service]\nUser=template\n");
        put("usr/lib/systemd/system/web@.service.d/10.conf", "[Service]\nGroup=hidden\n");
        put("etc/systemd/system/web@.service.d/10.conf", "[Service]\nGroup=shown\n");
        put("etc/systemd/system/web@a.service.d/05.conf", "[Service]\nUser=early\n");
        put("etc/systemd/system/service.d/20.conf", "[Service]\nUser=late\n");
        put("etc/systemd/system/web@.service.d/readme", "[Service]\nUser=no\n");
        let mut remarks = Vec::new();
        let unit = load("web@a", root.path(), &mut remarks).unwrap();
        let values: Vec<&str> = unit.entries.iter().map(|entry| entry.value.as_str()).collect();
        assert_eq!(values, ["template", "early", "shown", "late"]);
        assert!(load("db", root.path(), &mut remarks).is_err());
        std::os::unix::fs::symlink("/dev/null", root.join("etc/systemd/system/off.service")).unwrap();
        assert!(load("off", root.path(), &mut remarks).unwrap_err().reason.ends_with("it is masked"));
    }
}
