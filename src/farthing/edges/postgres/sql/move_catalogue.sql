UPDATE catalogue_heads SET head = %(revision)s WHERE account = (SELECT current_account()) AND mode = (SELECT current_mode())
