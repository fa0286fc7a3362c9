"""What a study and the book on it would compute, before anything runs."""
