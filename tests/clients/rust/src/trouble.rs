//! Servers that go, and limits that are reached.

use crate::runner::{Result, ask, see, soon};
use crate::{Connection, next, settle};
use async_nats::ConnectOptions;
use std::time::Duration;

/// Whether the client is connected to the server at this address.
fn is_at(connection: &Connection, address: &str) -> bool {
    address.ends_with(&format!(":{}", connection.client.server_info().port))
}

pub(crate) async fn reconnect() -> Result<()> {
    let (mut connection, _) = Connection::start("", ConnectOptions::new()).await?;
    let client = connection.client.clone();
    let mut got = client.subscribe("x").await?;
    let mut work = client.queue_subscribe("work", "q".into()).await?;
    settle(&client).await?;
    see(connection.hears("connected").await?);
    ask("kill a").await?;
    see(connection.hears("disconnected").await?);
    client.publish("x", "while it was away".into()).await?;
    ask("again a").await?;
    see(connection.hears("connected").await?);
    see(next(&mut got).await?);
    client.publish("work", "after".into()).await?;
    see(next(&mut work).await?);
    Ok(())
}

pub(crate) async fn orderly_stop() -> Result<()> {
    let (mut connection, _) = Connection::start("", ConnectOptions::new()).await?;
    let mut got = connection.client.subscribe("x").await?;
    settle(&connection.client).await?;
    see(connection.hears("connected").await?);
    ask("stop a").await?;
    see(connection.hears("disconnected").await?);
    ask("again a").await?;
    see(connection.hears("connected").await?);
    connection.client.publish("x", "there again".into()).await?;
    see(next(&mut got).await?);
    Ok(())
}

pub(crate) async fn another_server_of_the_list() -> Result<()> {
    let (nobody, address) = (ask("port").await?, ask("start b").await?);
    let connection = Connection::open(&[&nobody, &address], ConnectOptions::new()).await?;
    see(format!("at b: {}", is_at(&connection, &address)));
    Ok(())
}

pub(crate) async fn lame_duck() -> Result<()> {
    let first = ask("start a lame_duck_duration: \"30s\", lame_duck_grace_period: \"1s\"").await?;
    let second = ask("start b").await?;
    let mut connection = Connection::open(&[&first, &second], ConnectOptions::new()).await?;
    let mut got = connection.client.subscribe("x").await?;
    settle(&connection.client).await?;
    see(connection.hears("connected").await?);
    ask("lame a").await?;
    see(connection.hears("lame duck").await?);
    connection.client.publish("x", "served meanwhile".into()).await?;
    see(next(&mut got).await?);
    see(connection.hears("disconnected").await?);
    see(connection.hears("connected").await?);
    see(format!("at b: {}", is_at(&connection, &second)));
    connection.client.publish("x", "served there".into()).await?;
    see(next(&mut got).await?);
    Ok(())
}

pub(crate) async fn frozen_server() -> Result<()> {
    let (first, second) = (ask("start a").await?, ask("start b").await?);
    let options = ConnectOptions::new().ping_interval(Duration::from_millis(300));
    let options = options.connection_timeout(Duration::from_secs(1));
    let mut connection = Connection::open(&[&first, &second], options).await?;
    let mut got = connection.client.subscribe("x").await?;
    settle(&connection.client).await?;
    see(connection.hears("connected").await?);
    ask("freeze a").await?;
    see(connection.hears("disconnected").await?);
    see(connection.hears("connected").await?);
    see(format!("at b: {}", is_at(&connection, &second)));
    connection.client.publish("x", "there".into()).await?;
    see(next(&mut got).await?);
    Ok(())
}

pub(crate) async fn pings_of_the_server() -> Result<()> {
    let (mut connection, _) = Connection::start("ping_interval: \"300ms\", ping_max: 2", ConnectOptions::new()).await?;
    see(connection.hears("connected").await?);
    tokio::time::sleep(Duration::from_secs(3)).await;
    settle(&connection.client).await?;
    see(format!("told more: {}", !connection.told.is_empty()));
    see(ask("monitor a /varz /stale_connections").await?);
    Ok(())
}

pub(crate) async fn slow_consumer_in_the_client() -> Result<()> {
    let options = ConnectOptions::new().subscription_capacity(5);
    let (mut connection, _) = Connection::start("", options).await?;
    let _stuck = connection.client.subscribe("x").await?;
    for _ in 0..20 {
        connection.client.publish("x", "".into()).await?;
    }
    settle(&connection.client).await?;
    see(connection.hears("slow").await?);
    Ok(())
}

pub(crate) async fn slow_consumer_in_the_server() -> Result<()> {
    let options = ConnectOptions::new().subscription_capacity(1_000);
    let limits = "max_payload: 1000000, max_pending: 2000000, write_deadline: \"2s\"";
    let (mut connection, address) = Connection::start(limits, options).await?;
    let _got = connection.client.subscribe("x").await?;
    settle(&connection.client).await?;
    see(connection.hears("connected").await?);
    // The flood comes from a thread with a loop of its own, and this one stands still meanwhile.
    std::thread::spawn(move || flood(&address)).join().map_err(|_| "the flood failed")??;
    see(connection.hears("disconnected").await?);
    see(connection.hears("connected").await?);
    see(ask("monitor a /varz /slow_consumers").await?);
    soon(connection.client.flush()).await??;
    Ok(())
}

fn flood(address: &str) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let client = async_nats::connect(address).await?;
        for _ in 0..40 {
            client.publish("x", vec![0; 1_000_000].into()).await?;
        }
        soon(client.flush()).await??;
        Ok(())
    })
}

pub(crate) async fn too_many_connections() -> Result<()> {
    let (connection, address) = Connection::start("max_connections: 1", ConnectOptions::new()).await?;
    // Whether it reads the reason or fails to write first is a matter of luck.
    see(format!("refused: {}", soon(async_nats::connect(&address)).await?.is_err()));
    settle(&connection.client).await?;
    Ok(())
}

pub(crate) async fn too_many_subscriptions() -> Result<()> {
    let (mut connection, _) = Connection::start("max_subscriptions: 2", ConnectOptions::new()).await?;
    let mut all = Vec::new();
    for subject in ["a", "b", "c"] {
        all.push(connection.client.subscribe(subject).await?);
    }
    see(connection.hears("server error").await?);
    connection.client.flush().await?;
    Ok(())
}
