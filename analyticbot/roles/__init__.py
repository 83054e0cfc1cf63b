"""The roles: one a file, each adds its services to a process and reports its health.

`up` is all of them in one process; in a cluster each is a process of its own, any number of times.
"""
