"""The Auther side: where users go."""
