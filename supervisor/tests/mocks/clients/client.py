"""Asks over HTTPS with each of the usual libraries."""
import asyncio, json, urllib.request
import aiohttp, httpx, requests

URL = "https://api.payments.test/charge/7"

def show(library, answer):
    print(library, json.dumps(answer, sort_keys=True))

show("urllib", json.load(urllib.request.urlopen(URL, data=b"")))
show("requests", requests.post(URL).json())
show("httpx", httpx.post(URL).json())

async def main():
    async with aiohttp.ClientSession() as session:
        async with session.post(URL) as answer:
            show("aiohttp", await answer.json())

asyncio.run(main())
