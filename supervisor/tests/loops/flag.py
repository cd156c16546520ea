"""Waits in loops of bytecode: for a thread, and in a child that is ended for it."""
import subprocess
import sys
import threading
import time

flag = False


def set_flag():
    global flag
    time.sleep(1)
    flag = True


thread = threading.Thread(target=set_flag)
thread.start()
while not flag:
    pass
thread.join()
print("seen")
try:
    subprocess.run([sys.executable, "-c", "while True: pass"], timeout=5)
except subprocess.TimeoutExpired as expired:
    print(f"ended after {expired.timeout:.0f} s")
