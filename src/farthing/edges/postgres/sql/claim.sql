SELECT owner FROM claims WHERE scope = %(scope)s AND name = %(name)s
