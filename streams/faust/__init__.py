"""Everything that knows Faust: the app, and its transports over our two logs.

`app` is Faust's app with our replacements; `consumer` is its consumer with fetching and the
bookkeeping of acknowledgements replaced; `embedded` and `kafka` are the transports over
streams.embedded and streams.kafka. docs/decisions/0001-faust.md says why each part is used or
replaced.
"""
