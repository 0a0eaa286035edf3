"""How the users table of each kind of application is written, so that the application takes it for its own."""
