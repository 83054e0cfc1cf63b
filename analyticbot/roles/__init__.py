"""The roles: one a file, each adds its members to a process's crew and tells its health.

`up` is all of them in one process; in a cluster each is a process of its own, any number of times.
"""
