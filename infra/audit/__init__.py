"""A second opinion on bills: the log alone, replayed in SQL, without any of the code that rates.

The `.sql` files are its steps, in the order of their numbers; each says what it works out. They can
be read, and run in any DuckDB, without this program.
"""
