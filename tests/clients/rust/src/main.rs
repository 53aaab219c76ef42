//! What stock async-nats sees of a server, scenario by scenario.
#![forbid(unsafe_code)]

mod behaviour;
mod messages;
mod runner;
mod transport;
mod trouble;

use async_nats::{Client, ConnectOptions, Subscriber};
use futures_util::StreamExt;
use runner::{Play, Result, ask, see, soon};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A table of scenarios under their own names.
macro_rules! scenarios {
    ($($module:ident::$name:ident),* $(,)?) => { &[$((stringify!($name), || Box::pin($module::$name()))),*] };
}

const SCENARIOS: &[(&str, Play)] = scenarios![
    behaviour::connect_options,
    behaviour::auth_token,
    behaviour::auth_user,
    behaviour::nkey,
    behaviour::credentials,
    behaviour::password_changed,
    behaviour::permissions,
    behaviour::service,
    behaviour::no_jetstream,
    messages::large_payload,
    messages::max_payload_of_the_server,
    messages::headers,
    messages::no_responders,
    messages::request_that_times_out,
    messages::request_many,
    messages::queue_groups,
    messages::wildcards,
    messages::drain_of_a_subscription,
    messages::drain_of_the_connection,
    messages::unsubscribe_after_a_count,
    messages::flush_many_times,
    messages::many_messages,
    transport::tls,
    transport::tls_first,
    transport::websocket,
    trouble::reconnect,
    trouble::orderly_stop,
    trouble::another_server_of_the_list,
    trouble::lame_duck,
    trouble::frozen_server,
    trouble::pings_of_the_server,
    trouble::slow_consumer_in_the_client,
    trouble::slow_consumer_in_the_server,
    trouble::too_many_connections,
    trouble::too_many_subscriptions,
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    runner::play(SCENARIOS).await
}

/// A connection and what its callback was told.
struct Connection {
    client: Client,
    told: UnboundedReceiver<String>,
}

impl Connection {
    async fn open(addresses: &[&str], options: ConnectOptions) -> Result<Self> {
        let (sender, told) = unbounded_channel();
        let options = options
            .event_callback(move |event| {
                println!("# {event}");
                // Nobody listens any more only at the end of the scenario.
                let _ = sender.send(event.to_string());
                std::future::ready(())
            })
            .reconnect_delay_callback(|_| Duration::from_millis(100))
            .retain_servers_order();
        let client = soon(options.connect(addresses)).await??;
        Ok(Self { client, told })
    }

    /// Starts server `a` and connects to it.
    async fn start(configuration: &str, options: ConnectOptions) -> Result<(Self, String)> {
        let address = ask(&format!("start a {configuration}")).await?;
        Ok((Self::open(&[&address], options).await?, address))
    }

    /// Waits for an event that begins so; others before it are passed over.
    async fn hears(&mut self, event: &str) -> Result<String> {
        loop {
            let word = soon(self.told.recv()).await?.ok_or("no more events")?;
            if word.starts_with(event) {
                return Ok(word);
            }
        }
    }
}

/// How the client tells that it was not let in.
async fn refused(address: &str, options: ConnectOptions) -> Result<()> {
    match soon(options.connect(address)).await? {
        Ok(_) => see("let in"),
        Err(error) => see(format!("refused: {:?} {error}", error.kind())),
    }
    Ok(())
}

/// The text of the next message.
async fn next(subscriber: &mut Subscriber) -> Result<String> {
    let message = soon(subscriber.next()).await?.ok_or("the subscription has ended")?;
    Ok(String::from_utf8_lossy(&message.payload).into_owned())
}

/// The message of an error that must come.
fn failure<T, E: std::fmt::Display>(result: std::result::Result<T, E>) -> String {
    result.err().map_or_else(|| "served".to_owned(), |error| error.to_string())
}

/// Waits until everything that the server had for this client is here: the client's own `flush` waits for no answer.
async fn settle(client: &Client) -> Result<()> {
    let inbox = client.new_inbox();
    let mut echo = client.subscribe(inbox.clone()).await?;
    client.publish(inbox, "".into()).await?;
    next(&mut echo).await?;
    Ok(echo.unsubscribe().await?)
}
