use futures_util::StreamExt;
use tokio::process::Command;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), async_nats::Error> {
    let place = std::env::var("PLACE").unwrap_or_else(|_| "/myplace".into());
    let bus = examples::bus().await?;
    let mut events = bus.subscribe("hardware.usb.*").await?;
    while let Some(message) = events.next().await {
        match (message.subject.as_str(), examples::filesystem(&message)) {
            ("hardware.usb.add", Some(node)) => Command::new("mount").args([&node, &place]).status().await?,
            ("hardware.usb.remove", Some(_)) => Command::new("umount").arg(&place).status().await?,
            _ => continue,
        };
    }
    Ok(())
}
