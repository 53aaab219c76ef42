use futures_util::StreamExt;
use serde_json::Value;
use std::collections::BTreeMap;

type Sticks = BTreeMap<String, String>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), async_nats::Error> {
    let (bus, reconnected) = examples::bus_that_tells().await?;
    let mut events = bus.subscribe("hardware.*.*").await?;
    let (mut epoch, mut seq, mut sticks) = list(&bus, &Sticks::new()).await?;
    loop {
        let message = tokio::select! {
            message = events.next() => message,
            () = reconnected.notified() => {
                (epoch, seq, sticks) = list(&bus, &sticks).await?;
                continue;
            }
        };
        let Some(message) = message else { return Ok(()) };
        let event: Value = serde_json::from_slice(&message.payload)?;
        let number = event["seq"].as_u64().unwrap_or(0);
        if event["epoch"] != epoch || number > seq + 1 {
            (epoch, seq, sticks) = list(&bus, &sticks).await?; // missed something: list again
        } else if number == seq + 1 {
            seq = number; // anything else is older than the list: drop it
            let (devpath, node) = (text(&event["devpath"]), text(&event["filesystem"]));
            let mut next = sticks.clone();
            match message.subject.as_str() {
                "hardware.usb.add" if !node.is_empty() => drop(next.insert(devpath, node)),
                "hardware.usb.remove" => drop(next.remove(&devpath)),
                _ => {}
            }
            sticks = tell(&sticks, next);
        }
    }
}

async fn list(bus: &async_nats::Client, before: &Sticks) -> Result<(Value, u64, Sticks), async_nats::Error> {
    let answer = loop {
        match bus.request("hardware.list", "usb".into()).await {
            Err(error) if error.kind() == async_nats::client::RequestErrorKind::NoResponders => {
                tokio::time::sleep(std::time::Duration::from_secs(1)).await; // it is not back yet either
            }
            answer => break answer?,
        }
    };
    let all: Value = serde_json::from_slice(&answer.payload)?;
    let items = all["items"].as_array().into_iter().flatten();
    let with_filesystem = items.filter(|stick| stick["filesystem"].is_string());
    let sticks = with_filesystem.map(|stick| (text(&stick["devpath"]), text(&stick["filesystem"]))).collect();
    Ok((all["epoch"].clone(), all["seq"].as_u64().unwrap_or(0), tell(before, sticks)))
}

fn tell(before: &Sticks, now: Sticks) -> Sticks {
    now.iter().filter(|(devpath, _)| !before.contains_key(*devpath)).for_each(|(_, node)| println!("+ {node}"));
    before.iter().filter(|(devpath, _)| !now.contains_key(*devpath)).for_each(|(_, node)| println!("- {node}"));
    now
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
