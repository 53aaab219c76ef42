import asyncio, json, os, nats

async def main():
    nc = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"), max_reconnect_attempts=-1)

    async def plugged(msg):
        if "filesystem" in json.loads(msg.data):
            await nc.publish("toast.in", b"a USB stick was plugged in!")

    await nc.subscribe("hardware.usb.add", cb=plugged)
    await nc.flush()
    await nc.flush()  # the first PING overtakes what was queued before it
    print("connected", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
