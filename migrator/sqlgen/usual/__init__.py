"""What each authentication library brought into the application's database. Pure."""
