use futures_util::StreamExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), async_nats::Error> {
    let bus = examples::bus().await?;
    let mut plugged = bus.subscribe("hardware.usb.add").await?;
    while let Some(message) = plugged.next().await {
        if examples::filesystem(&message).is_some() {
            bus.publish("toast.in", "a USB stick was plugged in!".into()).await?;
        }
    }
    Ok(())
}
