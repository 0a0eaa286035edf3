"""The removal on MariaDB: what is emitted there, and what cannot be promised."""
