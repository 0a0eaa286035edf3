"""An application's MariaDB."""
