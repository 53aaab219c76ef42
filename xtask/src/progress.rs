//! What takes longer than a few seconds says so: `unpack the kernel … 7 s`.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A step under way. On a terminal its line counts the seconds; elsewhere it is printed at the start and at the end.
/// Dropping it ends the line.
pub struct Step {
    what: String,
    start: Instant,
    ticker: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Step {
    pub fn new(what: impl Into<String>) -> Self {
        let what = what.into();
        let start = Instant::now();
        eprint!("{what} …");
        let ticker = if std::io::stderr().is_terminal() {
            let (stop, stopped) = channel();
            let text = what.clone();
            Some((stop, std::thread::spawn(move || tick(&text, start, &stopped))))
        } else {
            eprintln!();
            None
        };
        Self { what, start, ticker }
    }
}

fn tick(what: &str, start: Instant, stopped: &Receiver<()>) {
    while stopped.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
        eprint!("\r{what} … {} s\x1b[K", start.elapsed().as_secs());
        let _ = std::io::stderr().flush();
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        let seconds = self.start.elapsed().as_secs_f32();
        if let Some((stop, thread)) = self.ticker.take() {
            drop(stop);
            let _ = thread.join();
            eprintln!("\r{} … {seconds:.1} s\x1b[K", self.what);
        } else if seconds > 1.0 {
            eprintln!("{}: {seconds:.1} s", self.what);
        }
    }
}
