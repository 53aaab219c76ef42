//! What the examples share: the connection, and one field of a message.
#![forbid(unsafe_code)]

use async_nats::{Client, ConnectOptions, Message};
use std::sync::Arc;
use tokio::sync::Notify;

/// Connects to `NATS_URL`, with the user and password in it where there are any.
pub async fn bus() -> Result<Client, async_nats::Error> {
    Ok(bus_that_tells().await?.0)
}

/// The same, and a bell that rings at every reconnect.
pub async fn bus_that_tells() -> Result<(Client, Arc<Notify>), async_nats::Error> {
    let url = std::env::var("NATS_URL").unwrap_or_else(|_| "nats://127.0.0.1:4222".into());
    let bell = Arc::new(Notify::new());
    let ringer = Arc::clone(&bell);
    let options = ConnectOptions::new().event_callback(move |event| {
        if matches!(event, async_nats::Event::Connected) {
            ringer.notify_one();
        }
        std::future::ready(())
    });
    let client = options.connect(url).await?;
    println!("connected");
    Ok((client, bell))
}

/// The node of the stick's file system, if it has one.
pub fn filesystem(message: &Message) -> Option<String> {
    let fields: serde_json::Value = serde_json::from_slice(&message.payload).ok()?;
    Some(fields.get("filesystem")?.as_str()?.to_owned())
}
