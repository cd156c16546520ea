"""Speaks WebSocket, encrypted and not."""
import asyncio, aiohttp, ssl, time

async def main():
    context = ssl.create_default_context()
    async with aiohttp.ClientSession() as session:
        for url in ["wss://feed/prices/eu?from=1", "ws://feed/prices/us?from=2"]:
            async with session.ws_connect(url, ssl=context, protocols=["prices.v1"]) as socket:
                print(socket.protocol, await socket.receive_json())
                start = time.monotonic()
                await socket.send_json({"subscribe": "gold"})
                prices = [(await socket.receive_json())["gold"] for _ in range(2)]
                print(all(1000 <= price <= 2000 for price in prices), round(time.monotonic() - start))
                await socket.ping()
                await socket.send_json({"raw": True})
                print((await socket.receive()).data)
                await socket.send_str("nonsense")
                end = await socket.receive()
                print(end.type.name, end.data, end.extra)
        async with session.get("http://feed/prices/eu") as answer:
            print(answer.status, answer.headers["upgrade"])

asyncio.run(main())
