"""Second factors of the application: how its libraries keep TOTP secrets, and how they are opened."""
