"""Moving all data from an SQLite file to the databases that the settings name."""
