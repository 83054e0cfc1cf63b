"""One engine a file, each a process of its own: a Job on standard input, a Lap in its folder."""
