# An asyncio echo server and ten clients, subprocesses, time-outs.
import asyncio


async def handle(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()


async def client(port, n):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for i in range(3):
        writer.write(f"hello {n} {i}\n".encode())
        await writer.drain()
        answers.append((await reader.readline()).decode().strip())
        await asyncio.sleep(0.001 * n)
    writer.close()
    return answers


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for answers in await asyncio.gather(*(client(port, n) for n in range(10))):
        print(answers)
    try:
        await asyncio.wait_for(asyncio.sleep(3600), 0.05)
    except asyncio.TimeoutError:
        print("timed out")
    process = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    print((await process.communicate(b"through cat"))[0])
    server.close()


asyncio.run(main())
