//! TLS and WebSocket.

use crate::runner::{Result, ask, see, soon};
use crate::{Connection, next, settle};
use async_nats::ConnectOptions;
use futures_util::StreamExt;

fn configuration(folder: &str, more: &str) -> String {
    let files = ["cert_file: \"FOLDER/server.pem\"", "key_file: \"FOLDER/server.key\"", "ca_file: \"FOLDER/ca.pem\""];
    format!("tls {{ {}, verify: true, timeout: 5{more} }}", files.join(", ").replace("FOLDER", folder))
}

/// Options that trust the authority and show one of the certificates.
fn options(folder: &str, shown: &str) -> ConnectOptions {
    let path = |name: &str| format!("{folder}/{name}").into();
    let options = ConnectOptions::new().add_root_certificates(path("ca.pem")).require_tls(true);
    options.add_client_certificate(path(&format!("{shown}.pem")), path(&format!("{shown}.key")))
}

/// Whether it is not let in: where a handshake breaks off is a matter of luck.
async fn is_refused(address: &str, options: ConnectOptions) -> Result<bool> {
    Ok(soon(options.connect(address)).await?.is_err())
}

pub(crate) async fn tls() -> Result<()> {
    let folder = ask("certificates").await?;
    let address = ask(&format!("start a {}", configuration(&folder, ""))).await?;
    let mut connection = Connection::open(&[&address], options(&folder, "client")).await?;
    see(connection.hears("connected").await?);
    let mut got = connection.client.subscribe("x").await?;
    let payload: Vec<u8> = (0..=u8::MAX).cycle().take(500_000).collect();
    connection.client.publish("x", payload.clone().into()).await?;
    see(soon(got.next()).await?.is_some_and(|message| message.payload == payload));
    see(format!("with a stranger's: {}", is_refused(&address, options(&folder, "stranger")).await?));
    see(format!("without: {}", is_refused(&address, ConnectOptions::new()).await?));
    ask("kill a").await?;
    see(connection.hears("disconnected").await?);
    ask(&format!("again a {}", configuration(&folder, ""))).await?;
    see(connection.hears("connected").await?);
    connection.client.publish("x", "there again".into()).await?;
    see(next(&mut got).await?);
    Ok(())
}

pub(crate) async fn tls_first() -> Result<()> {
    let folder = ask("certificates").await?;
    let address = ask(&format!("start a {}", configuration(&folder, ", handshake_first: true"))).await?;
    let connection = Connection::open(&[&address], options(&folder, "client").tls_first()).await?;
    settle(&connection.client).await?;
    see("let in");
    Ok(())
}

pub(crate) async fn websocket() -> Result<()> {
    let listen = ask("port").await?;
    ask(&format!("start a websocket {{ listen: \"{listen}\", no_tls: true }}")).await?;
    let connection = Connection::open(&[&format!("ws://{listen}")], ConnectOptions::new()).await?;
    let mut got = connection.client.subscribe("x").await?;
    let payload: Vec<u8> = (0..=u8::MAX).cycle().take(500_000).collect();
    connection.client.publish("x", payload.clone().into()).await?;
    see(soon(got.next()).await?.is_some_and(|message| message.payload == payload));
    let error = connection.client.request("nobody", "".into()).await.err().ok_or("answered")?;
    see(format!("{:?}", error.kind()));
    Ok(())
}
