//! Messages as they should travel.

use crate::runner::{Result, see, soon};
use crate::{Connection, failure, next, settle};
use async_nats::{ConnectOptions, HeaderMap, Request};
use futures_util::StreamExt;
use std::time::Duration;

async fn start(configuration: &str) -> Result<(Connection, String)> {
    Connection::start(configuration, ConnectOptions::new().subscription_capacity(100_000)).await
}

pub(crate) async fn large_payload() -> Result<()> {
    let (connection, _) = start("").await?;
    let mut got = connection.client.subscribe("x").await?;
    let payload: Vec<u8> = (0..=u8::MAX).cycle().take(1024 * 1024).collect();
    connection.client.publish("x", payload.clone().into()).await?;
    see(soon(got.next()).await?.is_some_and(|message| message.payload == payload));
    see(failure(connection.client.publish("x", vec![0; 1024 * 1024 + 1].into()).await));
    Ok(())
}

pub(crate) async fn max_payload_of_the_server() -> Result<()> {
    let (connection, _) = start("max_payload: 1000").await?;
    let mut got = connection.client.subscribe("x").await?;
    connection.client.publish("x", vec![0; 1000].into()).await?;
    see(next(&mut got).await?.len());
    see(failure(connection.client.publish("x", vec![0; 1001].into()).await));
    Ok(())
}

pub(crate) async fn headers() -> Result<()> {
    let (connection, _) = start("").await?;
    let mut got = connection.client.subscribe("x").await?;
    let mut headers = HeaderMap::new();
    headers.append("Many", "one");
    headers.append("Many", "two");
    headers.insert("Long", "l".repeat(1000).as_str());
    connection.client.publish_with_headers("x", headers, "body".into()).await?;
    let message = soon(got.next()).await?.ok_or("no message")?;
    let headers = message.headers.unwrap_or_default();
    let many: Vec<_> = headers.get_all("Many").map(|value| value.as_str().to_owned()).collect();
    see(format!("{:?} {many:?} {:?}", message.payload, headers.get("Long").map(|value| value.as_str().len())));
    Ok(())
}

pub(crate) async fn no_responders() -> Result<()> {
    let (connection, _) = start("").await?;
    let error = connection.client.request("nobody", "".into()).await.err().ok_or("answered")?;
    see(format!("{:?} {error}", error.kind()));
    let request = Request::new().inbox(connection.client.new_inbox());
    let error = connection.client.send_request("nobody", request).await.err().ok_or("answered")?;
    see(format!("{:?} {error}", error.kind()));
    Ok(())
}

pub(crate) async fn request_that_times_out() -> Result<()> {
    let (connection, _) = start("").await?;
    let _silent = connection.client.subscribe("silent").await?;
    let request = Request::new().timeout(Some(Duration::from_millis(300)));
    let error = connection.client.send_request("silent", request).await.err().ok_or("answered")?;
    see(format!("{:?} {error}", error.kind()));
    Ok(())
}

pub(crate) async fn request_many() -> Result<()> {
    let (connection, _) = start("").await?;
    let client = connection.client.clone();
    let mut questions = client.subscribe("many").await?;
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await?;
    answers.unsubscribe_after(3).await?;
    client.publish_with_reply("many", inbox, "".into()).await?;
    let reply = soon(questions.next()).await?.and_then(|question| question.reply).ok_or("no reply subject")?;
    for number in 0..5 {
        client.publish(reply.clone(), number.to_string().into()).await?;
    }
    let mut all = Vec::new();
    while let Some(answer) = soon(answers.next()).await? {
        all.push(String::from_utf8_lossy(&answer.payload).into_owned());
    }
    see(format!("{all:?}"));
    Ok(())
}

pub(crate) async fn queue_groups() -> Result<()> {
    let (connection, _) = start("").await?;
    let client = &connection.client;
    let mut members = Vec::new();
    for _ in 0..3 {
        members.push(client.queue_subscribe("work.*", "workers".into()).await?);
    }
    let mut all = client.subscribe("work.>").await?;
    client.flush().await?;
    for number in 0..300 {
        client.publish(format!("work.{number}"), "".into()).await?;
    }
    for _ in 0..300 {
        next(&mut all).await?;
    }
    settle(client).await?;
    let mut counts = Vec::new();
    for member in &mut members {
        member.drain().await?;
        let mut count = 0;
        while soon(member.next()).await?.is_some() {
            count += 1;
        }
        counts.push(count);
    }
    see(format!(
        "by the group {}, each has some: {}",
        counts.iter().sum::<i32>(),
        counts.iter().all(|count| *count > 30)
    ));
    Ok(())
}

pub(crate) async fn wildcards() -> Result<()> {
    let (connection, _) = start("").await?;
    let client = &connection.client;
    let mut all = Vec::new();
    for subject in ["a.*", "a.>", "a.*.c", "*.b", "*"] {
        all.push((subject, client.subscribe(subject).await?));
    }
    for subject in ["a", "a.b", "a.b.c", "x.b"] {
        client.publish(subject, "".into()).await?;
    }
    settle(client).await?;
    for (subject, subscriber) in &mut all {
        subscriber.drain().await?;
        while let Some(message) = soon(subscriber.next()).await? {
            see(format!("{subject} {}", message.subject));
        }
    }
    for bad in ["a..b", ".a", "a.", "a b"] {
        see(format!("{bad:?} {}", failure(client.subscribe(bad.to_owned()).await)));
    }
    Ok(())
}

pub(crate) async fn drain_of_a_subscription() -> Result<()> {
    let (connection, _) = start("").await?;
    let client = &connection.client;
    let mut got = client.subscribe("x").await?;
    for number in 0..20 {
        client.publish("x", number.to_string().into()).await?;
    }
    settle(client).await?;
    got.drain().await?;
    client.publish("x", "too late".into()).await?;
    let mut all = Vec::new();
    while let Some(message) = soon(got.next()).await? {
        all.push(message.payload);
    }
    see(format!("{} {:?}", all.len(), all.last()));
    Ok(())
}

pub(crate) async fn drain_of_the_connection() -> Result<()> {
    let (mut connection, address) = start("").await?;
    let other = Connection::open(&[&address], ConnectOptions::new()).await?;
    let mut got = connection.client.subscribe("x").await?;
    settle(&connection.client).await?;
    for number in 0..20 {
        other.client.publish("x", number.to_string().into()).await?;
    }
    settle(&other.client).await?;
    settle(&connection.client).await?;
    connection.client.drain().await?;
    let mut count = 0;
    while soon(got.next()).await?.is_some() {
        count += 1;
    }
    see(format!("{count} {}", connection.hears("closed").await?));
    see(failure(connection.client.publish("x", "".into()).await));
    Ok(())
}

pub(crate) async fn unsubscribe_after_a_count() -> Result<()> {
    let (connection, _) = start("").await?;
    let mut got = connection.client.subscribe("x").await?;
    got.unsubscribe_after(3).await?;
    for number in 0..10 {
        connection.client.publish("x", number.to_string().into()).await?;
    }
    let mut all = Vec::new();
    while let Some(message) = soon(got.next()).await? {
        all.push(message.payload);
    }
    see(format!("{all:?}"));
    Ok(())
}

pub(crate) async fn flush_many_times() -> Result<()> {
    let (connection, _) = start("").await?;
    for _ in 0..100 {
        soon(connection.client.flush()).await??;
    }
    see("100 flushes");
    Ok(())
}

pub(crate) async fn many_messages() -> Result<()> {
    let (connection, _) = start("").await?;
    let mut got = connection.client.subscribe("x").await?;
    let client = connection.client.clone();
    let publisher = tokio::spawn(async move {
        for number in 0..20_000 {
            client.publish("x", number.to_string().into()).await?;
        }
        Ok::<_, async_nats::PublishError>(())
    });
    let mut is_in_order = true;
    for number in 0..20_000 {
        is_in_order &= next(&mut got).await? == number.to_string();
    }
    soon(publisher).await???;
    see(format!("in order: {is_in_order}"));
    Ok(())
}
