#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), async_nats::Error> {
    let bus = examples::bus().await?;
    match bus.request("ps.calibre", "".into()).await {
        Ok(answer) => println!("HEAT! calibre runs as {}", String::from_utf8_lossy(&answer.payload)),
        Err(error) => println!("no heat: {error}"),
    }
    Ok(())
}
