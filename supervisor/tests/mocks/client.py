"""Asks as a program would that was written for the real service."""
import json, socket, sys, urllib.error, urllib.request

with urllib.request.urlopen("http://api.payments.test/v1/charges", data=b"amount=500") as answer:
    print(answer.status, answer.headers.get_all("x-request-id"), json.load(answer))
with urllib.request.urlopen("http://eu.payments.test:8080/v1/charges/ch_1") as answer:
    print(answer.status, answer.read())
try:
    urllib.request.urlopen("http://api.payments.test/v1/refunds")
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode().strip())
try:
    urllib.request.urlopen("http://payments.example/")
except urllib.error.URLError as error:
    print(type(error.reason).__name__)
