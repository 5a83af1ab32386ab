"""What an answer comes from: the day, the packages and the releases that turned it."""
