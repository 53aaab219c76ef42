//! One TOML file per daemon. Unknown keys are errors that name file, line, column and what was expected.

use program::exit::{self, Fatal};
use serde::de::DeserializeOwned;
use std::io;
use std::path::Path;

/// Largest configuration file that is read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;

/// Reads the configuration. Without a `given` path, `/etc/lunix/<program>.toml` is read where it exists; a path that was given must
/// exist.
pub(crate) fn load<C: DeserializeOwned + Default>(program: &str, given: Option<&str>) -> Result<C, Fatal> {
    let usual = format!("/etc/lunix/{program}.toml");
    let path = Path::new(given.unwrap_or(&usual));
    let wrong = |text: String| Fatal::new(exit::CONFIG, text);
    match read(path) {
        Ok(text) => parse(path, &text).map_err(wrong),
        Err(error) if given.is_none() && error.kind() == io::ErrorKind::NotFound => Ok(C::default()),
        Err(error) => Err(wrong(format!("cannot read {}: {error}", path.display()))),
    }
}

fn read(path: &Path) -> io::Result<String> {
    if std::fs::metadata(path)?.len() > FILE_MAX {
        return Err(io::Error::other(format!("larger than {FILE_MAX} bytes")));
    }
    std::fs::read_to_string(path)
}

fn parse<C: DeserializeOwned>(path: &Path, text: &str) -> Result<C, String> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("{}:{line}:{column}: {}", path.display(), error.message().replace('\n', " "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Config {
        processes_max: u32,
        observe: bool,
    }

    fn sentence(text: &str) -> String {
        parse::<Config>(Path::new("natsx.toml"), text).unwrap_err()
    }

    #[test]
    fn a_good_file_is_read_and_a_missing_usual_one_is_the_default() {
        let expected = Config { processes_max: 7, observe: false };
        assert_eq!(parse::<Config>(Path::new("x"), "processes_max = 7\n").unwrap(), expected);
        assert_eq!(load::<Config>("no-such-daemon", None).unwrap(), Config::default());
    }

    #[test]
    fn errors_name_file_line_column_and_what_was_expected() {
        assert_eq!(
            sentence("processes_max = 7\n\n  colour = 1\n"),
            "natsx.toml:3:3: unknown field `colour`, expected `processes_max` or `observe`"
        );
        assert_eq!(sentence("observe = 3"), "natsx.toml:1:11: invalid type: integer `3`, expected a boolean");
        assert!(sentence("observe = \n").starts_with("natsx.toml:1:11: "), "{}", sentence("observe = \n"));
    }

    #[test]
    fn a_given_file_must_exist() {
        let fatal = load::<Config>("natsx", Some("/nonexistent/x.toml")).unwrap_err();
        assert_eq!(fatal.code, exit::CONFIG);
        assert!(fatal.reason.starts_with("cannot read /nonexistent/x.toml: No such file"), "{}", fatal.reason);
    }
}
