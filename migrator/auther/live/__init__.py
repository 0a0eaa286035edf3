"""A running Auther: what it can do, how much it takes, the application's client."""
