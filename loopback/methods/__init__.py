"""What the methods of Telegram's API answer, from the state of the world.

One file a part of the API, one function a method; table.py is the list of all.
"""
