//! The page that says which test proves what.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Words of the page of the form `file::test`, without the backquotes.
fn named(page: &str) -> BTreeSet<&str> {
    page.split('`').filter(|word| word.contains("::") && !word.contains([' ', '\n'])).collect()
}

#[test]
fn every_test_that_the_page_names_exists() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(own.join("../../docs/pid1.md")).unwrap();
    let named = named(&page);
    assert!(named.len() > 50, "{}", named.len());
    for name in named {
        let mut parts: Vec<&str> = name.split("::").collect();
        let test = parts.pop().unwrap();
        let file = parts.join("/") + ".rs";
        // The checks of a machine are no functions of their own.
        let (file, line) = match file.strip_prefix("vm/") {
            Some(_) => (own.join("../../tests").join(&file), format!("\"{}\"", name.trim_start_matches("vm/"))),
            None => (own.join("tests").join(&file), format!("#[test]\nfn {test}()")),
        };
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains(&line), "{name}");
    }
}
