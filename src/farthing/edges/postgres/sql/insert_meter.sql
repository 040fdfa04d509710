INSERT INTO meters (account, mode, id, revision, event_name, document)
VALUES (current_account(), current_mode(), %(id)s, %(revision)s, %(event_name)s, %(document)s)
