"""Hand shards over to training frameworks: the texts of their configuration files."""
