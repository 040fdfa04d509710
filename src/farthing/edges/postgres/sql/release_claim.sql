DELETE FROM claims WHERE scope = %(scope)s AND name = %(name)s AND owner = %(owner)s
