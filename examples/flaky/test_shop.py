"""What the print shop promises, tested against the real service as its users reach it."""

import http.client
import json
import pathlib
import subprocess
import sys
import time
import unittest

SERVICE = pathlib.Path(__file__).with_name("shop.py")
PORT = 8400


def call(method, body=None, timeout=0.25):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=timeout)
    try:
        connection.request(method, "/orders", body)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def place(text):
    """Places an order, and tries again if there is no answer."""
    for _ in range(5):
        try:
            return call("POST", text)
        except TimeoutError:
            continue
    raise TimeoutError("the shop does not answer")


class ShopTest(unittest.TestCase):
    def setUp(self):
        self.service = subprocess.Popen([sys.executable, SERVICE, str(PORT)])
        time.sleep(1)

    def tearDown(self):
        self.service.terminate()
        self.service.wait()

    def test_an_order_is_taken_once(self):
        place("a poster")
        self.assertEqual(len(call("GET")), 1)

    def test_orders_are_printed(self):
        place("a leaflet")
        place("a book")
        time.sleep(0.25)
        self.assertEqual([order["state"] for order in call("GET")], ["printed", "printed"])


if __name__ == "__main__":
    unittest.main()
