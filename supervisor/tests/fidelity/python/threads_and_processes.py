# threading, queue, subprocess, multiprocessing by fork and spawn, concurrent.futures.
import concurrent.futures
import multiprocessing
import queue
import subprocess
import sys
import threading
import time


def square(n):
    return n * n


def main():
    q = queue.Queue()
    out = []
    lock = threading.Lock()

    def work():
        while (item := q.get()) is not None:
            time.sleep(0.01)
            with lock:
                out.append(item * 2)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for i in range(20):
        q.put(i)
    for _ in threads:
        q.put(None)
    for t in threads:
        t.join()
    print(sorted(out))
    print(subprocess.run(["echo", "from a child"], capture_output=True, text=True).stdout, end="")
    print(subprocess.run([sys.executable, "-c", "import sys; sys.exit(7)"]).returncode)
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(3) as pool:
            print(method, pool.map(square, range(8)))
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        print(list(pool.map(square, range(5))))
    start = time.monotonic()
    time.sleep(3)
    print(3 <= time.monotonic() - start < 4)


if __name__ == "__main__":
    main()
