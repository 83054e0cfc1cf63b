"""State: windows, ages and folds. Knows nothing of Faust, Kafka or the clock."""
