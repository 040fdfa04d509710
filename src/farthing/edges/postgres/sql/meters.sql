SELECT document FROM meters ORDER BY id COLLATE "C"
