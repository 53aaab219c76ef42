//! The terminal: given back as it was, whatever happens.

use super::view::{Size, View};
use crate::output::{Lines, Stop};
use program::{Fatal, exit};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{self, InputModes, LocalModes, OptionalActions, Termios};

/// What a terminal has that does not say.
const USUAL: Size = Size { rows: 24, columns: 80 };

/// A terminal whose keys come one by one. Dropping it gives it back as it was.
#[derive(Debug)]
pub(super) struct Terminal {
    before: Termios,
}

impl Terminal {
    /// Takes it over.
    pub(super) fn open() -> Result<Self, Fatal> {
        if !termios::isatty(stdin()) || !termios::isatty(stdout()) {
            return Err(Fatal::new(exit::USAGE, "this is not a terminal: --once prints one table"));
        }
        let failed = |errno| Fatal::system("cannot set the terminal", errno);
        let before = termios::tcgetattr(stdin()).map_err(failed)?;
        let mut raw = before.clone();
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN);
        raw.input_modes.remove(InputModes::IXON | InputModes::ICRNL);
        termios::tcsetattr(stdin(), OptionalActions::Now, &raw).map_err(failed)?;
        Ok(Self { before })
    }

    /// How large it is now, without the last column: a letter there makes some begin a new line.
    pub(super) fn size() -> Size {
        match termios::tcgetwinsize(stdout()) {
            Ok(size) if size.ws_row > 0 && size.ws_col > 1 => {
                Size { rows: size.ws_row.into(), columns: usize::from(size.ws_col) - 1 }
            }
            Ok(_) | Err(_) => USUAL,
        }
    }

    /// Draws the whole screen in one piece: home, each line to its end, the rest empty.
    pub(super) fn draw(lines: &mut Lines, view: &View) -> Result<(), Stop> {
        let (rows, reversed) = view.lines();
        let mut text = String::from("\x1b[?25l\x1b[H");
        for (at, row) in rows.iter().enumerate() {
            let begin = if at > 0 { "\r\n" } else { "" };
            let (on, off) = if reversed.contains(&at) { ("\x1b[7m", "\x1b[0m") } else { ("", "") };
            text += &format!("{begin}{on}{row}{off}\x1b[K");
        }
        lines.text(&(text + "\x1b[J"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to give back.
        let _ = termios::tcsetattr(stdin(), OptionalActions::Now, &self.before);
        let _ = Lines::stdout().text("\x1b[0m\x1b[?25h\r\n");
    }
}
