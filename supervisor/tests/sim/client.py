# Asks every server by its name, in an order of its own, and fails if the seed of the test says so.
import json, os, random, socket, sys

with open(os.environ["SIMRUN_TOPOLOGY"]) as file:
    machines = json.load(file)["machines"]
servers = [machine for machine in machines if machine["group"] == "web"]
assert all(machine["ports"] == [80] for machine in servers), servers
together = sorted({info[4][0] for info in socket.getaddrinfo("web", 80, socket.AF_INET)})
print(os.environ["SIMRUN_CLIENT_ID"], together, flush=True)
random.shuffle(servers)
for server in servers:
    connection = socket.create_connection((server["name"], 80))
    print(connection.makefile().read(), end="", flush=True)
if os.environ["SIMRUN_SEED"] in os.environ.get("FAILS", ""):
    print("as asked", file=sys.stderr, flush=True)
    sys.exit(3)
