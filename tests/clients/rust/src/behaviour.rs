//! Who may connect and do what, and what is built on top.

use crate::runner::{Result, ask, see, soon};
use crate::{Connection, failure, next, refused, settle};
use async_nats::ConnectOptions;
use async_nats::jetstream;
use async_nats::service::ServiceExt;
use futures_util::StreamExt;
use std::time::Duration;

pub(crate) async fn connect_options() -> Result<()> {
    let options = ConnectOptions::new().name("a name").no_echo().custom_inbox_prefix("_MINE");
    let (connection, address) = Connection::start("", options).await?;
    see(ask("monitor a /connz /connections/0/name").await?);
    see(ask("monitor a /connz /connections/0/lang").await?);
    let info = connection.client.server_info();
    see(format!("limit {} headers {} auth {}", info.max_payload, info.headers, info.auth_required));
    see(connection.client.new_inbox().split('.').next().unwrap_or_default());
    let mut own = connection.client.subscribe("x").await?;
    connection.client.publish("x", "not to myself".into()).await?;
    connection.client.flush().await?;
    let other = Connection::open(&[&address], ConnectOptions::new()).await?;
    other.client.publish("x", "from another".into()).await?;
    see(next(&mut own).await?);
    Ok(())
}

pub(crate) async fn auth_token() -> Result<()> {
    let address = ask("start a authorization { token: s3cr3t }").await?;
    let connection = Connection::open(&[&address], ConnectOptions::with_token("s3cr3t".into())).await?;
    settle(&connection.client).await?;
    see("let in");
    refused(&address, ConnectOptions::with_token("wrong".into())).await?;
    refused(&address, ConnectOptions::new()).await
}

pub(crate) async fn auth_user() -> Result<()> {
    let users = "start a authorization { users: [{user: u, password: p}, {user: v, password: \"q r\"}] }";
    let address = ask(users).await?;
    let with = |user: &str, password: &str| ConnectOptions::with_user_and_password(user.into(), password.into());
    let one = Connection::open(&[&address], with("u", "p")).await?;
    let other = Connection::open(&[&address], with("v", "q r")).await?;
    let mut got = one.client.subscribe("x").await?;
    settle(&one.client).await?;
    other.client.publish("x", "from v to u".into()).await?;
    see(next(&mut got).await?);
    for (user, password) in [("u", "q"), ("w", "p"), ("", "")] {
        refused(&address, with(user, password)).await?;
    }
    refused(&address, ConnectOptions::new()).await
}

pub(crate) async fn nkey() -> Result<()> {
    let (address, keys) = (ask("start a authorization { users: [{nkey: $USER}] }").await?, ask("keys").await?);
    let seed = |name: &str| std::fs::read_to_string(format!("{keys}/{name}.seed"));
    let connection = Connection::open(&[&address], ConnectOptions::with_nkey(seed("user")?)).await?;
    settle(&connection.client).await?;
    see("let in");
    refused(&address, ConnectOptions::with_nkey(seed("stranger")?)).await
}

pub(crate) async fn credentials() -> Result<()> {
    let (address, keys) = (ask("start a $OPERATOR").await?, ask("keys").await?);
    let options = ConnectOptions::with_credentials_file(format!("{keys}/user.creds")).await?;
    let mut connection = Connection::open(&[&address], options).await?;
    connection.client.publish("forbidden", "".into()).await?;
    see(connection.hears("server error").await?);
    settle(&connection.client).await?;
    refused(&address, ConnectOptions::with_credentials_file(format!("{keys}/stranger.creds")).await?).await
}

pub(crate) async fn password_changed() -> Result<()> {
    let options = ConnectOptions::with_user_and_password("v".into(), "q".into()).max_reconnects(2);
    let users = "authorization { users: [{user: u, password: p}, {user: v, password: q}] }";
    let (mut connection, _) = Connection::start(users, options).await?;
    settle(&connection.client).await?;
    ask("reload a authorization { users: [{user: u, password: p}, {user: v, password: new}] }").await?;
    see(connection.hears("server error").await?);
    see(connection.hears("disconnected").await?);
    see(connection.hears("client error: nats: max").await?);
    Ok(())
}

pub(crate) async fn permissions() -> Result<()> {
    let users = "authorization { users: [{user: u, password: p, permissions: {\
                 publish: {allow: [\"ok.>\", \"_INBOX.>\"], deny: \"ok.not\"}, \
                 subscribe: {allow: [\"ok.>\", \"_INBOX.>\", \"work q\"]}}}] }";
    let options = ConnectOptions::with_user_and_password("u".into(), "p".into());
    let (mut connection, _) = Connection::start(users, options).await?;
    let mut got = connection.client.subscribe("ok.>").await?;
    for subject in ["other", "ok.not"] {
        connection.client.publish(subject, "".into()).await?;
        see(connection.hears("server error").await?);
    }
    let _other = connection.client.subscribe("other").await?;
    see(connection.hears("server error").await?);
    let _work = connection.client.queue_subscribe("work", "r".into()).await?;
    see(connection.hears("server error").await?);
    connection.client.publish("ok.yes", "still here".into()).await?;
    see(next(&mut got).await?);
    Ok(())
}

pub(crate) async fn service() -> Result<()> {
    let (connection, _) = Connection::start("", ConnectOptions::new()).await?;
    let client = &connection.client;
    let made = client.service_builder().description("doubles").start("doubler", "1.2.3").await?;
    let mut endpoint = made.group("math").endpoint("double").await?;
    let asker = client.clone();
    let question = tokio::spawn(async move { asker.request("math.double", "ab".into()).await });
    let request = soon(endpoint.next()).await?.ok_or("no request")?;
    let twice = [request.message.payload.clone(), request.message.payload.clone()].concat();
    request.respond(Ok(twice.into())).await?;
    see(String::from_utf8_lossy(&soon(question).await???.payload));
    let asker = client.clone();
    let question = tokio::spawn(async move { asker.request("math.double", "no".into()).await });
    let request = soon(endpoint.next()).await?.ok_or("no request")?;
    request.respond(Err(async_nats::service::error::Error { code: 400, status: "not that".into() })).await?;
    see(format!(
        "{:?}",
        soon(question).await???.headers.map(|headers| headers.get("Nats-Service-Error-Code").cloned())
    ));
    for subject in ["$SRV.PING", "$SRV.INFO.doubler", "$SRV.STATS.doubler"] {
        let answer = soon(client.request(subject, "".into())).await??;
        see(format!("{subject} {}", String::from_utf8_lossy(&answer.payload).contains("\"doubler\"")));
    }
    made.stop().await?;
    Ok(())
}

pub(crate) async fn no_jetstream() -> Result<()> {
    let (connection, _) = Connection::start("", ConnectOptions::new()).await?;
    let mut js = jetstream::new(connection.client.clone());
    js.set_timeout(Duration::from_secs(2));
    see(failure(js.query_account().await));
    see(failure(js.create_stream(jetstream::stream::Config { name: "s".into(), ..Default::default() }).await));
    see(failure(js.get_stream("s").await));
    see(failure(js.publish("x", "".into()).await?.await));
    see(failure(js.create_key_value(jetstream::kv::Config { bucket: "b".into(), ..Default::default() }).await));
    Ok(())
}
