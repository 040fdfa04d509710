"""PostgreSQL: the supervised server, the migrations and the stores in named SQL."""
