import asyncio, json, os, subprocess, nats

PLACE = os.environ.get("PLACE", "/myplace")

async def main():
    nc = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"), max_reconnect_attempts=-1)

    async def plugged(msg):
        if node := json.loads(msg.data).get("filesystem"):
            subprocess.run(["mount", node, PLACE], check=True)

    async def pulled(msg):
        if "filesystem" in json.loads(msg.data):
            subprocess.run(["umount", PLACE], check=True)

    await nc.subscribe("hardware.usb.add", cb=plugged)
    await nc.subscribe("hardware.usb.remove", cb=pulled)
    await nc.flush()
    await nc.flush()  # the first PING overtakes what was queued before it
    print("connected", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
