"""Tests of the state that telegram.updates is folded into."""
