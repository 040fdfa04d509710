INSERT INTO waivers (account, mode, contract, key_text, key_hash, amount, reason)
VALUES (current_account(), current_mode(), %(contract)s, %(key)s, %(hash)s, %(amount)s, %(reason)s)
