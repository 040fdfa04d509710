SELECT mark FROM source_checkpoints WHERE source = %(source)s
