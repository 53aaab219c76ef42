import asyncio, json, os, nats

async def main():
    async def again():
        await list_all()

    nc = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"), max_reconnect_attempts=-1, reconnected_cb=again)
    epoch, seq, sticks = None, 0, {}

    def become(now):
        nonlocal sticks
        for devpath in now.keys() - sticks.keys():
            print("+", now[devpath], flush=True)
        for devpath in sticks.keys() - now.keys():
            print("-", sticks[devpath], flush=True)
        sticks = now

    async def list_all():
        nonlocal epoch, seq
        while True:
            try:
                everything = json.loads((await nc.request("hardware.list", b"usb")).data)
                break
            except nats.errors.Error:  # natsdev is not back yet either
                await asyncio.sleep(1)
        epoch, seq = everything["epoch"], everything["seq"]
        become({stick["devpath"]: stick["filesystem"] for stick in everything["items"] if "filesystem" in stick})

    async def event(msg):
        nonlocal seq
        told = json.loads(msg.data)
        if told["epoch"] != epoch or told["seq"] > seq + 1:  # missed something: list again
            return await list_all()
        if told["seq"] <= seq:  # older than the list: drop it
            return
        seq = told["seq"]
        if msg.subject == "hardware.usb.add" and "filesystem" in told:
            become({**sticks, told["devpath"]: told["filesystem"]})
        if msg.subject == "hardware.usb.remove":
            become({devpath: node for devpath, node in sticks.items() if devpath != told["devpath"]})

    await nc.subscribe("hardware.*.*", cb=event)
    await list_all()
    print("connected", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
