"""The other end of the lines that ../control.rs describes."""

import asyncio
import sys

SECONDS = 20


def see(*words):
    """Tells what the client saw."""
    print("-", *words, flush=True)


async def ask(*words):
    """Asks the runner for something and returns its answer."""
    print("!", *words, flush=True)
    answer = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    return answer.strip()


async def soon(awaitable):
    """Nothing here takes longer."""
    return await asyncio.wait_for(awaitable, SECONDS)


def play(scenarios):
    """Plays the scenario that the command line names, or lists them."""
    if len(sys.argv) > 1:
        asyncio.run(asyncio.wait_for(scenarios[sys.argv[1]](), 50))
    else:
        see("\n- ".join(scenarios))
    print("done", flush=True)
