//! Writes what is generated from `crates/interfaces` and the daemons' flag tables: `api/`, the bus's configuration, the manuals of section 7, the marked
//! parts of the manuals of section 8; and the daemons' definitions for other inits, `services/`. With `--check` it writes nothing and fails when a file differs.
#![forbid(unsafe_code)]

mod asyncapi;
mod manual;
mod policy;
mod python;
mod reference;
mod schema;
mod services;
mod typescript;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The files to write: path from the root of the repository, content.
type Files = BTreeMap<PathBuf, String>;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let check = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some("-h" | "--help") => {
            println!("usage: cargo xtask codegen [--check]\n  --check  write nothing; fail when a file differs");
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("codegen: invalid option '{other}': expected --check");
            return ExitCode::from(64);
        }
    };
    match generate(&root).and_then(|files| if check { compare(&root, &files) } else { write(&root, &files) }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("codegen: {why}");
            ExitCode::FAILURE
        }
    }
}

fn generate(root: &Path) -> Result<Files, String> {
    let domains = interfaces::catalogue::domains();
    let mut files = Files::new();
    for domain in &domains {
        let folder = Path::new("api").join(domain.name);
        for message in &domain.messages {
            let name = format!("{}.schema.json", message.type_name);
            files.insert(folder.join(name), schema::pretty(&schema::clean(message)));
        }
        files.insert(folder.join("asyncapi.json"), asyncapi::document(domain));
        files.insert(folder.join("README.md"), reference::page(domain));
        files.insert(format!("docs/man/lunix-{}.7.scd", domain.name).into(), manual::domain(domain));
    }
    files.insert("api/lunix.ts".into(), typescript::types(&domains));
    files.insert("api/lunix_types.py".into(), python::types(&domains));
    for (path, text) in manual::daemons(root, &domains)? {
        files.insert(path, text);
    }
    let rows = interfaces::policy::rows().map_err(|line| format!("crates/interfaces/policy.txt: {line}"))?;
    files.insert("image/root/etc/lunix/bus.conf".into(), policy::configuration(&rows));
    files.insert("api/policy.md".into(), policy::page(&rows));
    files.append(&mut services::definitions());
    let (path, text) = manual::lunix(root)?;
    files.insert(path, text);
    Ok(files)
}

fn write(root: &Path, files: &Files) -> Result<(), String> {
    for (path, text) in files {
        let whole = root.join(path);
        let folder = whole.parent().ok_or("a file without a folder")?;
        std::fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;
        if std::fs::read_to_string(&whole).ok().as_ref() != Some(text) {
            std::fs::write(&whole, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            println!("wrote {}", path.display());
        }
        let mode = if is_script(text) { 0o755 } else { 0o644 };
        std::fs::set_permissions(&whole, PermissionsExt::from_mode(mode))
            .map_err(|error| format!("cannot change {}: {error}", path.display()))?;
    }
    Ok(())
}

/// Scripts are executable.
fn is_script(text: &str) -> bool {
    text.starts_with("#!")
}

fn compare(root: &Path, files: &Files) -> Result<(), String> {
    let differs = |(path, text): &(&PathBuf, &String)| {
        let whole = root.join(path);
        let mode = std::fs::metadata(&whole).map(|metadata| metadata.permissions().mode());
        std::fs::read_to_string(&whole).ok().as_ref() != Some(text)
            || mode.is_ok_and(|mode| (mode & 0o100 != 0) != is_script(text))
    };
    let stale: Vec<String> = files.iter().filter(differs).map(|(path, _)| path.display().to_string()).collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("not up to date: {}; run `cargo xtask codegen`", stale.join(", ")))
}
