"""What Faust's transports over our logs have in common: delivery, acknowledgements, assignment.

`desk` is how an agent's body reads and writes within the commit of its message; `consumer` is
Faust's consumer with its fetching and its bookkeeping of acknowledgements replaced. Not for where
messages come from and go to: that is streams.embedded and streams.kafka.
"""
