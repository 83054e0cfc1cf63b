"""The roles: one per file; each adds its services to a process and reports its health.

`up` runs all of them in one process. In a cluster each role has its own processes, any number.
"""
