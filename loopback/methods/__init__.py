"""The methods of Telegram's API, answered from the state of the world.

One file per part of the API, one function per method; table.py lists all methods.
"""
