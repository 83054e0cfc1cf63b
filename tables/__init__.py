"""State: rows, windows, timers, ticks and settings. Independent of Faust, Kafka and clocks."""
