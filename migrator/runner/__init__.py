"""What phases run in: context, progress."""
