"""Asks a bank over gRPC, encrypted and not; the first argument is the set of descriptors."""
import queue, sys, time
import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

pool = descriptor_pool.DescriptorPool()
with open(sys.argv[1], "rb") as file:
    for one in descriptor_pb2.FileDescriptorSet.FromString(file.read()).file:
        pool.Add(one)
factory = message_factory.MessageFactory(pool)
Query, Balance, Entry = (factory.GetPrototype(pool.FindMessageTypeByName(f"bank.{name}")) for name in ("Query", "Balance", "Entry"))

def method(channel, kind, name, ask, answer):
    return getattr(channel, kind)(f"/bank.Ledger/{name}", ask.SerializeToString, answer.FromString)

def fails(call):
    try:
        call()
    except grpc.RpcError as error:
        print(error.code().name, error.details())

secure = grpc.secure_channel("ledger.bank.test:443", grpc.ssl_channel_credentials())
for channel in [secure, grpc.insecure_channel("ledger.bank.test:50051")]:
    get = method(channel, "unary_unary", "Get", Query, Balance)
    found = get(Query(account="a1"))
    print(found.account, found.cents, found.currency, list(found.owners))
    for account in ["none", "typo", "closed"]:
        fails(lambda: get(Query(account=account)))
fails(lambda: method(channel, "unary_unary", "Gte", Query, Balance)(Query()))
start = time.monotonic()
for entry in method(channel, "unary_stream", "Watch", Query, Entry)(Query(limit=7)):
    print(entry.cents, entry.text, round(time.monotonic() - start))
print(method(channel, "stream_unary", "Sum", Entry, Balance)(Entry(cents=n) for n in [1, 2, 4]).cents)

# Both speak by turns, over one call.
for texts in [["n1", "n2"], ["n1", "other"]]:
    asked = queue.Queue()
    answers = method(channel, "stream_stream", "Chat", Entry, Entry)(iter(asked.get, None))
    print(next(answers).text)
    for number, text in enumerate(texts):
        asked.put(Entry(cents=number, text=text))
        fails(lambda: print((answer := next(answers)).cents, answer.text))
    asked.put(None)
    fails(lambda: print(list(answers)))
