"""A key for tests, and another one."""

from control.sealing import GivenKey

HEX = bytes(range(32)).hex()
KEY = GivenKey(bytes(range(32)))
OTHER = GivenKey(bytes(range(1, 33)))
