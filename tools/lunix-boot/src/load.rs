//! `modules`: kernel modules that are wanted by name (`man 5 modules-load.d`, `man 5 modules`).

use crate::{Job, fields, folders};
use modules::{Outcome, Policy, Tree};
use program::{Fatal, exit};
use std::path::{Path, PathBuf};

/// A module that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name or an alias of it.
    pub name: String,
    /// Parameters, as the kernel takes them.
    pub options: String,
    /// Where that is said.
    pub place: String,
}

/// Loads what is wanted by modules-load.d, /etc/modules and `modules_load=` of the kernel's command line.
///
/// # Errors
/// When the index of the modules cannot be read although some are wanted.
pub fn run(job: &Job) -> Result<u8, Fatal> {
    let mut worst = exit::OK;
    let command_line = std::fs::read_to_string(job.path("/proc/cmdline")).unwrap_or_default();
    let mut all = of_command_line(&command_line);
    for path in folders::files(job, "modules-load.d").into_iter().chain([job.path("/etc/modules")]) {
        match std::fs::read(&path) {
            Ok(text) => all.extend(list(&path.display().to_string(), &text).unwrap_or_else(|sentence| {
                job.error(format_args!("{sentence}"));
                worst = exit::CONFIG;
                Vec::new()
            })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                job.error(format_args!("cannot read {}: {error}", path.display()));
                worst = exit::SYSTEM;
            }
        }
    }
    if all.is_empty() {
        return Ok(worst);
    }
    if job.check {
        for one in &all {
            job.print(format_args!("load {} {}", one.name, one.options))?;
        }
        return Ok(worst);
    }
    let cannot = |error: modules::Error| Fatal::new(exit::SYSTEM, error.to_string());
    let mut tree = Tree::open(&folder(job)).map_err(cannot)?;
    let policy = Policy::read(&job.path("/"), &command_line).map_err(cannot)?;
    for one in &all {
        if let Err(sentence) = load(&mut tree, &policy, one) {
            job.error(format_args!("{}: {sentence}", one.place));
            worst = exit::SYSTEM;
        }
    }
    Ok(worst)
}

/// The folder of the running kernel's modules.
fn folder(job: &Job) -> PathBuf {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    job.path(&format!("/lib/modules/{release}"))
}

fn load(tree: &mut Tree, policy: &Policy, wanted: &Wanted) -> Result<(), String> {
    let mut steps = tree.plan(&wanted.name, policy).map_err(|error| error.to_string())?;
    if steps.is_empty() && !tree.is_builtin(&wanted.name.replace('-', "_")).unwrap_or(false) {
        return Err(format!("there is no module {}", wanted.name));
    }
    if let Some(last) = steps.last_mut().filter(|_| !wanted.options.is_empty()) {
        last.options = format!("{} {}", last.options, wanted.options).trim().to_owned();
    }
    for step in &steps {
        match step.load() {
            Ok(Outcome::Loaded | Outcome::Present) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}

/// What a file of the list wants.
///
/// # Errors
/// A sentence that names file, line and field.
pub fn list(file: &str, text: &[u8]) -> Result<Vec<Wanted>, String> {
    let (mut all, mut wrong) = (Vec::new(), None);
    fields::lines(fields::MODULES, text, |line, found| {
        let words = found.map_err(|(field, fault)| (field, format!("{fault:?}"))).and_then(|found| {
            let text = |(field, index): (&Vec<u8>, u32)| {
                String::from_utf8(field.clone()).map_err(|_| (index, "expected UTF-8".to_owned()))
            };
            found.iter().zip(1..).map(text).collect::<Result<Vec<String>, _>>()
        });
        match words.as_ref().map(|words| words.split_first()) {
            Ok(Some((name, options))) => {
                all.push(Wanted { name: name.clone(), options: options.join(" "), place: format!("{file}:{line}") });
            }
            Ok(None) => {}
            Err((field, sentence)) => {
                wrong.get_or_insert_with(|| format!("{file}:{line}:{field}: {sentence}"));
            }
        }
    });
    wrong.map_or(Ok(all), Err)
}

/// What the kernel's command line wants: `modules_load=a,b`.
#[must_use]
pub fn of_command_line(line: &str) -> Vec<Wanted> {
    let lists = line
        .split_ascii_whitespace()
        .filter_map(|word| word.strip_prefix("modules_load=").or_else(|| word.strip_prefix("modules-load=")));
    let names = lists.flat_map(|list| list.split(',')).filter(|name| !name.is_empty());
    let wanted = |name: &str| Wanted {
        name: name.to_owned(),
        options: String::new(),
        place: Path::new("/proc/cmdline").display().to_string(),
    };
    names.map(wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(all: &[Wanted]) -> Vec<String> {
        all.iter().map(|one| format!("{} {}|{}", one.place, one.name, one.options)).collect()
    }

    #[test]
    fn names_and_options_are_read() {
        let all = list("m", b"# list\nloop\n\n  dummy numdummies=2 x=y\n;no\n").unwrap();
        assert_eq!(shown(&all), ["m:2 loop|", "m:4 dummy|numdummies=2 x=y"]);
        assert_eq!(list("m", b"a\nb \xff\n").unwrap_err(), "m:2:2: expected UTF-8");
        assert_eq!(list("m", b"a\nb\0\n").unwrap_err(), "m:2:1: Nul");
    }

    #[test]
    fn the_command_line_may_want_some() {
        let all = of_command_line("quiet modules_load=a,b,, root=/dev/sda modules-load=c");
        assert_eq!(shown(&all), ["/proc/cmdline a|", "/proc/cmdline b|", "/proc/cmdline c|"]);
    }
}
