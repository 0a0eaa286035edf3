"""A running Auther before the cutover: what it can do, its client for the application, its capacity."""
