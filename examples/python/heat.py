import asyncio, os, nats
from nats.errors import NoRespondersError

async def main():
    nc = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    try:
        print("HEAT! calibre runs as", int((await nc.request("ps.calibre")).data))
    except NoRespondersError as error:
        print("no heat:", error)
    await nc.close()

asyncio.run(main())
