"""What a removal needs of a MariaDB."""
