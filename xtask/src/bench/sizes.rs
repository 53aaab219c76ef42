//! Bytes of every program, with the peer's beside the bus.

use crate::build::Built;
use crate::failure::{Context, Result};
use std::path::Path;

/// Prints the table.
pub fn compare(ours: &Built, peer: &Path) -> Result<()> {
    println!("\n| program | bytes | peer | bytes | ours / peer |\n|---|---:|---|---:|---:|");
    for program in &ours.programs {
        let path = ours.folder.join(&program.name);
        let bytes = std::fs::metadata(&path).at(&path)?.len();
        if program.name == "lunix-bus" {
            let other = std::fs::metadata(peer).at(peer)?.len();
            println!("| {} | {bytes} | nats-server 2.15.1 | {other} | 1/{} |", program.name, other / bytes.max(1));
        } else {
            println!("| {} | {bytes} | | | |", program.name);
        }
    }
    Ok(())
}
