//! The other end of the lines that `../../control.rs` describes.

use std::fmt::Display;
use std::io::BufRead;
use std::pin::Pin;
use std::time::Duration;

pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;
pub(crate) type Result<T> = std::result::Result<T, Error>;
pub(crate) type Play = fn() -> Pin<Box<dyn Future<Output = Result<()>>>>;

/// Tells what the client saw.
pub(crate) fn see(what: impl Display) {
    println!("- {what}");
}

/// Asks the runner for something and returns its answer.
pub(crate) async fn ask(what: &str) -> Result<String> {
    println!("! {what}");
    let read = || {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map(|_| line.trim().to_owned())
    };
    Ok(tokio::task::spawn_blocking(read).await??)
}

/// Nothing here takes longer.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(Duration::from_secs(20), future).await.map_err(|_| "it takes too long".into())
}

/// Plays the scenario that the command line names, or lists them.
pub(crate) async fn play(scenarios: &[(&str, Play)]) -> Result<()> {
    match std::env::args().nth(1) {
        Some(wanted) => {
            let (_, play) = scenarios.iter().find(|(name, _)| *name == wanted).ok_or("no such scenario")?;
            tokio::time::timeout(Duration::from_secs(50), play()).await??;
        }
        None => scenarios.iter().for_each(|(name, _)| see(name)),
    }
    println!("done");
    Ok(())
}
