SELECT revision, document FROM meters WHERE id = %(id)s
