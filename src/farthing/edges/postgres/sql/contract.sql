SELECT document FROM contracts WHERE id = %(id)s
