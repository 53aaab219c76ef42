//! `%n`, `%i` and their like (`man 5 systemd.unit`, "Specifiers").

use super::name::{Name, unescaped};
use super::text::{Piece, Text};

/// The text with its specifiers replaced.
///
/// # Errors
/// Why one of them cannot be.
pub(crate) fn expand(text: &str, unit: &Name) -> Result<Text, String> {
    let mut whole = Text::default();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            whole.push_letter(letter);
            continue;
        }
        match letters.next() {
            // A lone one at the end stays, as for systemd.
            None => whole.push_letter('%'),
            Some('%') => whole.push_letter('%'),
            Some(letter) => match specifier(letter, unit)? {
                Piece::Literal(text) => whole.push_text(&text),
                piece @ (Piece::Shell(_) | Piece::Words(_)) => whole.0.push(piece),
            },
        }
    }
    Ok(whole)
}

fn specifier(letter: char, unit: &Name) -> Result<Piece, String> {
    let literal = |text: String| Ok(Piece::Literal(text));
    let shell = |text: &str| Ok(Piece::Shell(text.to_owned()));
    let last = || unit.prefix.rsplit('-').next().unwrap_or_default();
    let is_template = unit.is_template();
    let instance = unit.instance.clone().unwrap_or_default();
    match letter {
        'i' if is_template => shell("$INSTANCE"),
        'n' if is_template => shell(&format!("{}@$INSTANCE.{}", unit.prefix, unit.suffix)),
        'N' if is_template => shell(&format!("{}@$INSTANCE", unit.prefix)),
        'I' | 'f' if is_template => Err(format!("%{letter} is known of an instance only, so convert that")),
        'n' => literal(unit.full()),
        'N' => literal(unit.stem()),
        'i' => literal(instance),
        'I' => literal(unescaped(&instance)),
        'p' => literal(unit.prefix.clone()),
        'P' => literal(unescaped(&unit.prefix)),
        'j' => literal(last().to_owned()),
        'J' => literal(unescaped(last())),
        'f' => literal(format!("/{}", unescaped(if instance.is_empty() { &unit.prefix } else { &instance }))),
        't' => literal("/run".into()),
        'S' => literal("/var/lib".into()),
        'C' => literal("/var/cache".into()),
        'L' => literal("/var/log".into()),
        'E' => literal("/etc".into()),
        'T' => literal("/tmp".into()),
        'V' => literal("/var/tmp".into()),
        'h' => literal("/root".into()),
        'u' | 'g' => literal("root".into()),
        'U' | 'G' => literal("0".into()),
        's' => literal("/bin/sh".into()),
        'H' | 'q' => shell("$(uname -n)"),
        'v' => shell("$(uname -r)"),
        'm' => shell("$(cat /etc/machine-id)"),
        'b' => shell("$(tr -d - </proc/sys/kernel/random/boot_id)"),
        other => Err(format!("%{other} has no counterpart")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_now_is_text() {
        let table = [
            ("web@a-b.service", "%n %N %p %i %I %f", "web@a-b.service web@a-b web a-b a/b /a/b"),
            ("foo-bar.service", "%p %P %j %i|%% 5%", "foo-bar foo/bar bar |% 5%"),
            (
                "a.service",
                "%t/x %S %C %L %E %T %V %h %u %U",
                "/run/x /var/lib /var/cache /var/log /etc /tmp /var/tmp /root root 0",
            ),
        ];
        for (name, text, expected) in table {
            assert_eq!(expand(text, &Name::parse(name)).unwrap().plain().unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn the_rest_is_known_when_it_starts() {
        let template = Name::parse("web@.service");
        assert_eq!(expand("/etc/%i.conf", &template).unwrap().shell(), "/etc/\"$INSTANCE\".conf");
        assert_eq!(expand("%H-%v", &template).unwrap().shell(), "\"$(uname -n)\"-\"$(uname -r)\"");
        assert!(expand("%I", &template).is_err() && expand("%d", &template).is_err());
    }
}
