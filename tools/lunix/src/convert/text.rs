//! Text with parts that only the machine knows when the service starts, and how a shell is told.

/// A part of a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// As it is.
    Literal(String),
    /// What stands between double quotes in a shell script: `$INSTANCE`, `$(uname -n)`.
    Shell(String),
    /// A variable that is cut into words at blanks.
    Words(String),
}

/// A word or a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Vec<Piece>);

impl Text {
    pub(crate) fn literal(text: impl Into<String>) -> Self {
        Self(vec![Piece::Literal(text.into())])
    }

    pub(crate) fn push_letter(&mut self, letter: char) {
        match self.0.last_mut() {
            Some(Piece::Literal(text)) => text.push(letter),
            Some(Piece::Shell(_) | Piece::Words(_)) | None => self.0.push(Piece::Literal(letter.to_string())),
        }
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        text.chars().for_each(|letter| self.push_letter(letter));
    }

    /// The text when nothing of it has to wait for the machine.
    pub(crate) fn plain(&self) -> Option<String> {
        let mut whole = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => whole.push_str(text),
                Piece::Shell(_) | Piece::Words(_) => return None,
            }
        }
        Some(whole)
    }

    /// As one word of a shell script (none or several when it is a variable to be cut).
    pub(crate) fn shell(&self) -> String {
        if self.0.is_empty() {
            return "''".to_owned();
        }
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => quoted(text),
            Piece::Shell(expression) => format!("\"{expression}\""),
            Piece::Words(name) => format!("${name}"),
        };
        self.0.iter().map(piece).collect()
    }
}

/// A literal as a word of a shell script.
pub(crate) fn quoted(text: &str) -> String {
    let is_safe = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=@%+,".contains(letter);
    if !text.is_empty() && text.chars().all(is_safe) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// True for what a shell takes as the name of a variable.
pub(crate) fn is_variable(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        let table =
            [("", "''"), ("a/b.c", "a/b.c"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$x*", "'$x*'"), ("~", "'~'")];
        for (text, expected) in table {
            assert_eq!(Text::literal(text).shell(), expected);
        }
        let mixed = Text(vec![Piece::Literal("a b".into()), Piece::Shell("$INSTANCE".into())]);
        assert_eq!((mixed.shell().as_str(), mixed.plain()), ("'a b'\"$INSTANCE\"", None));
        assert_eq!(Text(vec![Piece::Words("OPTIONS".into())]).shell(), "$OPTIONS");
    }

    #[test]
    fn a_real_shell_reads_them_back() {
        for text in ["", "a b", "it's", "$HOME `id` \\ \" * ~ #", "new\nline", "-n"] {
            let script = format!("printf %s {}", Text::literal(text).shell());
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
