//! Manuals in scdoc's language: section 7 whole, and the OPTIONS and BUS sections of section 8 between marks.

use crate::reference::{kind, kind_of};
use crate::{Files, schema};
use daemon::{Daemon, Program};
use interfaces::catalogue::{Domain, Message};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The manual of a domain.
pub fn domain(domain: &Domain) -> String {
    let name = format!("lunix-{}", domain.name);
    let mut text =
        format!("{name}(7)\n\n# NAME\n\n{name} - messages of the domain {}\n\n# DESCRIPTION\n\n", domain.name);
    let _ = writeln!(text, "{} Served by *{}*(8).\n", escape(domain.summary), domain.daemon);
    for message in &domain.messages {
        section(&mut text, message);
    }
    let _ = write!(text, "# SEE ALSO\n\n*{}*(8), *lunix*(1)\n", domain.daemon);
    text
}

fn section(text: &mut String, message: &Message) {
    let _ = write!(text, "# {}\n\n{} ({}).\n\n", subject(message), escape(message.summary), kind(message.kind));
    let whole = schema::clean(message);
    let mut described = vec![&whole];
    described.extend(whole["$defs"].as_object().into_iter().flatten().map(|(_, definition)| definition));
    for (name, field, always) in described.into_iter().flat_map(schema::fields) {
        let note = if always { "" } else { ", may be absent" };
        let description = escape(field["description"].as_str().unwrap_or_default());
        let _ = write!(text, "*{}* ({}{note})\n\t{description}\n\n", escape(name), kind_of(field));
    }
    let _ = write!(text, "Example:\n\n```\n{:#}\n```\n\n", message.example);
}

fn subject(message: &Message) -> String {
    escape(message.subject)
}

/// What scdoc would take for its own marks.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '_' | '*' | '\\' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The manual of the command line with its options written anew.
pub fn lunix(root: &Path) -> Result<(PathBuf, String), String> {
    let path = PathBuf::from("tools/lunix/lunix.1.scd");
    let text = std::fs::read_to_string(root.join(&path)).map_err(|error| format!("{}: {error}", path.display()))?;
    let text = replace(&text, "options", &lunix::table::LUNIX.scdoc_options());
    Ok((path.clone(), text.map_err(|why| format!("{}: {why}", path.display()))?))
}

/// The daemons' manuals with their marked parts written anew.
pub fn daemons(root: &Path, domains: &[Domain]) -> Result<Files, String> {
    let programs: [Program; 6] = [
        natsdev::Natsdev::PROGRAM,
        natsinit::Natsinit::PROGRAM,
        natslog::Natslog::PROGRAM,
        natsnet::Natsnet::PROGRAM,
        natsps::Natsps::PROGRAM,
        natstoast::Natstoast::PROGRAM,
    ];
    let mut files = Files::new();
    for program in programs {
        let path = PathBuf::from(format!("daemons/{0}/{0}.8.scd", program.name));
        let text = std::fs::read_to_string(root.join(&path)).map_err(|error| format!("{}: {error}", path.display()))?;
        let text =
            replace(&text, "options", &program.scdoc_options()).map_err(|why| format!("{}: {why}", path.display()))?;
        let bus = bus(domains.iter().filter(|domain| domain.daemon == program.name));
        let text = replace(&text, "bus", &bus).map_err(|why| format!("{}: {why}", path.display()))?;
        files.insert(path, text);
    }
    Ok(files)
}

fn bus<'a>(domains: impl Iterator<Item = &'a Domain>) -> String {
    let mut text = String::new();
    for domain in domains {
        for message in &domain.messages {
            let _ = write!(text, "*{}* ({})\n\t{}\n\n", subject(message), kind(message.kind), escape(message.summary));
        }
        let _ = write!(text, "The fields are described in *lunix-{}*(7).\n\n", domain.name);
    }
    text
}

/// Replaces what stands between `; begin NAME` and `; end NAME`.
fn replace(text: &str, name: &str, new: &str) -> Result<String, String> {
    let (begin, end) = (format!("; begin {name}\n"), format!("; end {name}\n"));
    let (before, rest) = text.split_once(&begin).ok_or_else(|| format!("no line `; begin {name}`"))?;
    let (_, after) = rest.split_once(&end).ok_or_else(|| format!("no line `; end {name}`"))?;
    Ok(format!("{before}{begin}\n{new}{end}{after}"))
}
