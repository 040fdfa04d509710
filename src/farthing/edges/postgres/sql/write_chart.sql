INSERT INTO chart_of_accounts (code, name, type, subject) VALUES (%s, %s, %s, %s)
ON CONFLICT (code) DO UPDATE SET name = excluded.name
