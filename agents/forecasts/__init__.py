"""What a post's views will come to."""
