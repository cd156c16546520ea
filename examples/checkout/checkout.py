"""Takes payment for some orders. When it is not told whether a charge was made, it asks again."""

import json
import os
import urllib.error
import urllib.request

PROVIDER = "https://api.payments.test/v1/charges"
ATTEMPTS = 3


def charge(order, amount):
    body = json.dumps({"order": order, "amount": amount}).encode()
    for attempt in range(ATTEMPTS):
        request = urllib.request.Request(PROVIDER, data=body)
        # Whoever sends the same key again gets the same charge. The bug is to leave it out.
        if os.environ.get("CHECKOUT_MENDED"):
            request.add_header("Idempotency-Key", f"order-{order}")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return json.load(answer)["id"]
        except (urllib.error.URLError, ConnectionError) as error:
            print(f"order {order}, attempt {attempt + 1}: {error}")
    return None


for number in range(1, 6):
    print(f"order {number}: {charge(number, 100 * number) or 'not paid'}")
