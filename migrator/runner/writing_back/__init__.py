"""What people change at Auther goes to the application, so that the way back stays open."""
