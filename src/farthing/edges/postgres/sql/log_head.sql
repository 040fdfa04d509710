SELECT head FROM log_heads WHERE account = (SELECT current_account()) AND mode = (SELECT current_mode())
