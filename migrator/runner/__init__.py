"""What phases run in, and below it one folder of work for each phase."""
