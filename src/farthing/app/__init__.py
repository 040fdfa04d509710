"""The verbs: load → core → save. Time and new ids are passed in."""
